package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.connectionledger.model.Topics;
import java.util.Locale;

/**
 * What an instance says of its ownership of a partition: the value of {@link Topics#OWNERS}, in the
 * partition that it is about. An owner repeats it; that it comes back proves to the owner that no
 * other has claimed the partition since.
 *
 * @param instance the same after each restart; no two of its runs live at once
 * @param run this run of the instance
 * @param term the number of the claim: higher than that of every claim before it in the partition
 * @param address where this run answers other instances, host:port; empty while it does not yet
 * @param sentNanos when it was written, by the writer's monotonic clock; means nothing to others
 * @param atMs when it was written, for people
 */
public record OwnershipHeartbeat(
    Kind kind, String instance, String run, long term, String address, long sentNanos, long atMs) {

  /** How far an ownership has come. */
  public enum Kind {
    /** Wants to decide and does not yet. */
    CLAIMING,
    /** Decides; none of an earlier term may any more. */
    DECIDING,
    /** Decides nothing any more under this term; all its decisions are in the log by now. */
    RESIGNED;

    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads the written form.
     *
     * @throws IllegalArgumentException when no kind is written so
     */
    @JsonCreator
    public static Kind ofLabel(String label) {
      for (Kind kind : values()) {
        if (kind.label().equals(label)) {
          return kind;
        }
      }
      throw new IllegalArgumentException("'" + label + "' is not a kind of ownership");
    }
  }
}
