package io.connectionledger.streams;

/** Who decides for a pool that this instance may not decide for. */
public sealed interface Owner {

  Owner CHANGING = new Changing();
  Owner NOBODY = new Nobody();

  /**
   * Another instance.
   *
   * @param address where it answers other instances, host:port
   * @param term of its ownership; a later owner has a higher one
   */
  record Other(String address, long term) implements Owner {}

  /** The pool is changing hands: within a moment somebody decides, maybe this instance. */
  record Changing() implements Owner {}

  /** No instance that is known, or none that can be reached. */
  record Nobody() implements Owner {}
}
