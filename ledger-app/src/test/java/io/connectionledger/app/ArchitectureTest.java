package io.connectionledger.app;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.connectionledger.streams.local.LocalLedger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The arrows between the modules, as code: data flows one way, and the topic is the wall. */
class ArchitectureTest {

  private static final String ROOT = "io.connectionledger";
  private static final int DOZEN = 12;

  /** Only they begin a line of a formatted file. */
  private static final Pattern TOP_LEVEL_TYPE =
      Pattern.compile("(?m)^(?:[a-z-]+ )*(?:class|interface|@interface|record|enum) (\\w+)");

  private final JavaClasses house =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @Test
  void shouldSeeEveryModule() {
    assertThat(
            Stream.of(
                    "model", "ingest", "streams", "admission", "controlplane", "kubernetes", "app")
                .filter(
                    module ->
                        house.stream()
                            .noneMatch(c -> c.getPackageName().startsWith(ROOT + "." + module))))
        .isEmpty();
  }

  @Test
  void shouldPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("model")
        .definedBy(ROOT + ".model..")
        .layer("ingest")
        .definedBy(ROOT + ".ingest..")
        .layer("streams")
        .definedBy(ROOT + ".streams..")
        .layer("admission")
        .definedBy(ROOT + ".admission..")
        .layer("control-plane")
        .definedBy(ROOT + ".controlplane..")
        .layer("kubernetes")
        .definedBy(ROOT + ".kubernetes..")
        .layer("app")
        .definedBy(ROOT + ".app..")
        .whereLayer("app")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("control-plane")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("kubernetes")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("admission")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("ingest")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("streams")
        .mayOnlyBeAccessedByLayers("admission", "app")
        .check(house);
  }

  @Test
  void shouldKnowTheLedgerByItsInterfacesAlone() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".admission..")
        .should()
        .dependOnClassesThat(
            resideInAPackage(ROOT + ".streams..")
                .and(not(resideInAPackage(ROOT + ".streams")))
                .and(not(belongToAnyOf(LocalLedger.class))))
        .check(house);
  }

  @Test
  void shouldKeepTheRulesPure() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".streams.rules..")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(
                "java..", "org.jspecify..", ROOT + ".model..", ROOT + ".streams.rules.."))
        .check(house);
  }

  @Test
  void shouldHaveADozenFilesAPackageAtMost() throws IOException {
    Map<Path, Long> packages =
        JavaSources.main().stream()
            .filter(file -> !file.endsWith("package-info.java"))
            .collect(Collectors.groupingBy(Path::getParent, Collectors.counting()));

    assertThat(packages).hasSizeGreaterThan(50);
    assertThat(packages.entrySet()).allMatch(files -> files.getValue() <= DOZEN);
  }

  @Test
  void shouldHaveNoCyclesBetweenPackages() {
    slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(house);
  }

  /** Whoever reads a name must not have to ask which of two types is meant. */
  @Test
  void shouldNameNoTwoTypesAlike() throws IOException {
    Map<String, List<Path>> sources = new TreeMap<>();
    for (Path file : JavaSources.all()) {
      TOP_LEVEL_TYPE
          .matcher(Files.readString(file))
          .results()
          .forEach(
              type -> sources.computeIfAbsent(type.group(1), n -> new ArrayList<>()).add(file));
    }

    assertThat(sources).containsKeys("ArchitectureTest", "Ledger");
    assertThat(sources.values()).filteredOn(alike -> alike.size() > 1).isEmpty();
  }
}
