import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.fhir.ucum.UcumEssenceService;
import org.fhir.ucum.UcumService;
import org.hl7.fhir.common.hapi.validation.support.BaseValidationSupportWrapper;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.common.hapi.validation.validator.WorkerContextValidationSupportAdapter;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.Questionnaire;
import org.hl7.fhir.r4.model.ValueSet;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * Validates FHIR R4 resources with HAPI, offline. Standard input: one resource a line, as JSON or as the name of a
 * file. Questionnaires, code systems and value sets among them are made known first, whatever their place.
 * Standard output: one JSON line for each: {"name","issues":[{"severity","id","location","message"}]}.
 * Exit status: 0 when no issue is an error, 1 when one is, 2 when a line cannot be read.
 */
public final class Main {
  /** What the validator only warns of, though a bundle with it is wrong. */
  private static final Set<String> ERRORS_IN_TRUTH =
      Set.of("Bundle_BUNDLE_Not_Local", "Questionnaire_QR_Q_NotFound");

  private static final Set<String> KNOWN_TYPES = Set.of("Questionnaire", "CodeSystem", "ValueSet");

  private record Document(String name, String json) {}

  public static void main(String[] arguments) throws Exception {
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
    List<Document> documents = readDocuments();
    FhirContext context = FhirContext.forR4();
    FhirValidator validator = makeValidator(context, makeKnown(context, documents));
    ObjectMapper mapper = new ObjectMapper();
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    boolean failed = false;
    for (Document document : documents) {
      ObjectNode line = mapper.createObjectNode().put("name", document.name());
      ArrayNode issues = line.putArray("issues");
      for (SingleValidationMessage message : validator.validateWithResult(document.json()).getMessages()) {
        String severity = severityOf(message);
        if (severity.equals("information")) continue;
        failed |= !severity.equals("warning");
        issues.addObject().put("severity", severity).put("id", message.getMessageId())
            .put("location", message.getLocationString()).put("message", message.getMessage());
      }
      out.println(mapper.writeValueAsString(line));
      out.flush();
    }
    System.exit(failed ? 1 : 0);
  }

  private static String severityOf(SingleValidationMessage message) {
    if (message.getMessageId() != null && ERRORS_IN_TRUTH.contains(message.getMessageId())) return "error";
    return message.getSeverity() == null ? ResultSeverityEnum.ERROR.getCode() : message.getSeverity().getCode();
  }

  private static List<Document> readDocuments() {
    List<Document> documents = new ArrayList<>();
    try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.isBlank()) continue;
        boolean json = line.startsWith("{");
        documents.add(json ? new Document("line " + (documents.size() + 1), line)
            : new Document(line, Files.readString(Path.of(line))));
      }
    } catch (Exception unreadable) {
      System.err.println("cannot read: " + unreadable);
      System.exit(2);
    }
    return documents;
  }

  private static PrePopulatedValidationSupport makeKnown(FhirContext context, List<Document> documents)
      throws Exception {
    Known known = new Known(context);
    for (Document document : documents) {
      String type = new ObjectMapper().readTree(document.json()).path("resourceType").asText();
      if (!KNOWN_TYPES.contains(type)) continue;
      IBaseResource resource = context.newJsonParser().parseResource(document.json());
      if (resource instanceof Questionnaire questionnaire) known.add(questionnaire);
      if (resource instanceof CodeSystem system) known.addCodeSystem(system);
      if (resource instanceof ValueSet set) known.addValueSet(set);
    }
    return known;
  }

  /** PrePopulatedValidationSupport gives no Questionnaire back, neither by url nor by url|version. */
  private static final class Known extends PrePopulatedValidationSupport {
    private final Map<String, Questionnaire> questionnaires = new HashMap<>();

    Known(FhirContext context) {
      super(context);
    }

    void add(Questionnaire questionnaire) {
      questionnaires.put(questionnaire.getUrl(), questionnaire);
      questionnaires.put(questionnaire.getUrl() + "|" + questionnaire.getVersion(), questionnaire);
    }

    @Override
    public <T extends IBaseResource> T fetchResource(Class<T> type, String uri) {
      Questionnaire found = questionnaires.get(uri);
      boolean wanted = found != null && type != null && type.isInstance(found);
      return wanted ? type.cast(found) : super.fetchResource(type, uri);
    }
  }

  /** Displays are compared only when somebody asks for it. */
  private static final class WithDisplays extends BaseValidationSupportWrapper {
    WithDisplays(FhirContext context, IValidationSupport chain) {
      super(context, chain);
    }

    private static ConceptValidationOptions withDisplay(ConceptValidationOptions options) {
      return ConceptValidationOptions.copy(options).setValidateDisplay(true);
    }

    @Override
    public CodeValidationResult validateCode(ValidationSupportContext context, ConceptValidationOptions options,
        String system, String code, String display, String valueSet) {
      return super.validateCode(context, withDisplay(options), system, code, display, valueSet);
    }

    @Override
    public CodeValidationResult validateCodeInValueSet(ValidationSupportContext context,
        ConceptValidationOptions options, String system, String code, String display, IBaseResource valueSet) {
      return super.validateCodeInValueSet(context, withDisplay(options), system, code, display, valueSet);
    }
  }

  private static FhirValidator makeValidator(FhirContext context, PrePopulatedValidationSupport known)
      throws Exception {
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    IValidationSupport chain = new WithDisplays(context, new ValidationSupportChain(known,
        new DefaultProfileValidationSupport(context), new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context), new SnapshotGeneratingValidationSupport(context),
        unknown));
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setWrappedWorkerContext(chain, workerContext(chain));
    module.setAssumeValidRestReferences(true);
    module.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
    module.setErrorForUnknownProfiles(true);
    return context.newValidator().registerValidatorModule(module);
  }

  private static WorkerContextValidationSupportAdapter workerContext(IValidationSupport chain) throws Exception {
    try (InputStream units = UcumEssenceService.class.getResourceAsStream("/ucum-essence.xml")) {
      UcumService ucum = new UcumEssenceService(units);
      return new WorkerContextValidationSupportAdapter(chain) {
        @Override
        public UcumService getUcumService() {
          return ucum;
        }
      };
    }
  }
}
