/** What a record changes in a pool, in the form in which the state stores keep it. */
@NullMarked
package io.connectionledger.streams.rules.state;

import org.jspecify.annotations.NullMarked;
