/** Slots that instances lend each other for the time in which a pool has no owner. */
@NullMarked
package io.connectionledger.admission.loan;

import org.jspecify.annotations.NullMarked;
