package io.connectionledger.app.serve;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.MeterFilterReply;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Makes the meters of other people's binders follow Prometheus' rules for names, as {@code promtool
 * check metrics} has them. A meter in a unit that is no base unit is left out: there is another
 * that says the same, or nobody asks. Thread-safe.
 */
final class MeterNames implements MeterFilter {

  private static final Set<String> SHORT_UNITS = Set.of("ms", "ns");
  private static final String COUNT = ".count";
  private static final Pattern HUMP = Pattern.compile("(?<=[a-z])[A-Z]");

  @Override
  public MeterFilterReply accept(Meter.Id id) {
    boolean shortUnit =
        SHORT_UNITS.contains(String.valueOf(id.getBaseUnit()))
            || Arrays.stream(id.getName().split("\\.", -1)).anyMatch(SHORT_UNITS::contains);
    return shortUnit ? MeterFilterReply.DENY : MeterFilterReply.NEUTRAL;
  }

  @Override
  public Meter.Id map(Meter.Id id) {
    Meter.Id mapped = id;
    if (id.getType() == Meter.Type.GAUGE && id.getName().endsWith(COUNT)) {
      // Only a histogram or a summary has a count: system.cpu.count becomes system.cpus.
      mapped =
          mapped.withName(id.getName().substring(0, id.getName().length() - COUNT.length()) + 's');
    }
    if (id.getTags().stream().anyMatch(tag -> HUMP.matcher(tag.getKey()).find())) {
      mapped = mapped.replaceTags(id.getTags().stream().map(MeterNames::withoutHumps).toList());
    }
    String description = id.getDescription();
    if (description == null || description.isBlank()) {
      mapped =
          new Meter.Id(
              mapped.getName(),
              Tags.of(mapped.getTags()),
              mapped.getBaseUnit(),
              id.getName(),
              mapped.getType());
    }
    return mapped;
  }

  private static Tag withoutHumps(Tag tag) {
    return Tag.of(
        HUMP.matcher(tag.getKey()).replaceAll(hump -> '.' + hump.group().toLowerCase(Locale.ROOT)),
        tag.getValue());
  }
}
