/** Answers about pools, from this instance's memory and stores. */
@NullMarked
package io.connectionledger.streams.query;

import org.jspecify.annotations.NullMarked;
