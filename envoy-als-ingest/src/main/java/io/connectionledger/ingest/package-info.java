/**
 * Envoy's access logs in, connection events in Kafka out. {@link
 * io.connectionledger.ingest.AlsIngest} is all that other modules use. An entry goes through {@link
 * io.connectionledger.ingest.AccessLogObserver} (one per stream), {@link
 * io.connectionledger.ingest.translate.AccessLogTranslator} and {@link
 * io.connectionledger.ingest.AccessLogBatch} (pure), and {@link
 * io.connectionledger.ingest.EventPublisher}. Nothing is kept per connection: what the log means is
 * for the other side of the topic to remember.
 */
@NullMarked
package io.connectionledger.ingest;

import org.jspecify.annotations.NullMarked;
