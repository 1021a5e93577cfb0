/** The connections of a pool: reserved, open and ended, and which Envoy reports each of them. */
@NullMarked
package io.connectionledger.streams.rules.connections;

import org.jspecify.annotations.NullMarked;
