"""Writes docs/decisions/README.md from the titles of the pages beside it. Run after adding a decision."""
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs/decisions"
HEAD = "# Decisions\n\nContext, decision, why, consequences: one page each, never rewritten, only superseded. " \
       "The numbers have gaps.\nThis list is written by `tools/style/index_decisions.py`.\n\n"


def main():
    rows = [f"- [{page.read_text().splitlines()[0].removeprefix('# ')}]({page.name})"
            for page in sorted(FOLDER.glob("0*.md"))]
    (FOLDER / "README.md").write_text(HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
