package io.connectionledger.streams.ownership;

import io.connectionledger.model.event.OwnershipHeartbeat;

/**
 * The log of {@link OwnershipHeartbeat}s, as one instance writes and reads it: {@link
 * KafkaOwnerLog}.
 */
interface OwnerLog extends AutoCloseable {

  /** Told what the log holds, on one thread, in the order of each partition. */
  interface Reader {

    void read(int partition, OwnershipHeartbeat beat);

    /** Everything that was in the log when reading began has been read. */
    void following();

    /** Beats may have been missed; reading begins anew. */
    void lostTrack();
  }

  /** Begins to read: what binds whom at this moment, and everything from then on. */
  void follow(Reader reader);

  /** Writes a beat, in the order of the calls; it may get lost. For one thread at a time. */
  void send(int partition, OwnershipHeartbeat beat);

  /** Ends both, after some seconds at most for what is still to be written. */
  @Override
  void close();
}
