/** Who changed what over HTTP, written down before it is done. */
@NullMarked
package io.connectionledger.admission.http.audit;

import org.jspecify.annotations.NullMarked;
