/** Who asks over HTTP, and what that caller may. */
@NullMarked
package io.connectionledger.admission.http.auth;

import org.jspecify.annotations.NullMarked;
