/** The scales for the pool's rules alone: no Kafka, no network. */
@NullMarked
package io.connectionledger.bench.heart;

import org.jspecify.annotations.NullMarked;
