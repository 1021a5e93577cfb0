/** What instances ask each other. */
@NullMarked
package io.connectionledger.admission.peer;

import org.jspecify.annotations.NullMarked;
