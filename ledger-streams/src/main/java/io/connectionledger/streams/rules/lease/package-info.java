/**
 * For how long a connection is believed to be open that nobody reports, and when an Envoy is dead.
 */
@NullMarked
package io.connectionledger.streams.rules.lease;

import org.jspecify.annotations.NullMarked;
