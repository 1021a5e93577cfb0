/** {@code ledger tail}: events and decisions as they happen, from Kafka itself. */
@NullMarked
package io.connectionledger.app.tail;

import org.jspecify.annotations.NullMarked;
