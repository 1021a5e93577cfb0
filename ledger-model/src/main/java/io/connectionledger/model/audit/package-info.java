/** Who changed what. */
@NullMarked
package io.connectionledger.model.audit;

import org.jspecify.annotations.NullMarked;
