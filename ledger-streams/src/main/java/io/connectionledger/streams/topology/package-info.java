/** The Kafka Streams topology that fills the ledger, and the life of it. */
@NullMarked
package io.connectionledger.streams.topology;

import org.jspecify.annotations.NullMarked;
