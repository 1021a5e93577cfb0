/** What an operator wants of a pool. */
@NullMarked
package io.connectionledger.model.policy;

import org.jspecify.annotations.NullMarked;
