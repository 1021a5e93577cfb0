/** The Kafka that the ledger stands on: its own broker where there is no other, and its topics. */
@NullMarked
package io.connectionledger.app.kafka;

import org.jspecify.annotations.NullMarked;
