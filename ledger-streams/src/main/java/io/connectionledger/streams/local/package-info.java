/** The ledger of this instance: what it decides, lends and borrows. */
@NullMarked
package io.connectionledger.streams.local;

import org.jspecify.annotations.NullMarked;
