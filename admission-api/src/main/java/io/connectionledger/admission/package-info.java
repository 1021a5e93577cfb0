/** admission. */
@NullMarked
package io.connectionledger.admission;

import org.jspecify.annotations.NullMarked;
