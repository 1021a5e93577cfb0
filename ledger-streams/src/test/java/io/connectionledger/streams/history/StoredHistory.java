package io.connectionledger.streams.history;

import io.connectionledger.testkit.StoredTopics;

/** Makes histories of what a test has stored. */
public final class StoredHistory {

  private StoredHistory() {}

  public static TopicHistory of(StoredTopics topics) {
    return new TopicHistory(topics.consumer());
  }
}
