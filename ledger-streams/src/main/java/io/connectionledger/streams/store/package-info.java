/** The state stores of a partition: how they are written, restored and read. */
@NullMarked
package io.connectionledger.streams.store;

import org.jspecify.annotations.NullMarked;
