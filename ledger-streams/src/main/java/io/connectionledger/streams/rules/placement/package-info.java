/**
 * On which pod a connection is placed: the candidates in order, affinity, slow start, circuit
 * breakers.
 */
@NullMarked
package io.connectionledger.streams.rules.placement;

import org.jspecify.annotations.NullMarked;
