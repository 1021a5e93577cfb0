/** One check from its question to its answer, whatever the transport. */
@NullMarked
package io.connectionledger.admission.check;

import org.jspecify.annotations.NullMarked;
