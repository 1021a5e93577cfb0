/** The commands that change a pool of a running ledger: policies and draining. */
@NullMarked
package io.connectionledger.app.policy;

import org.jspecify.annotations.NullMarked;
