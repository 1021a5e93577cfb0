/** What the tests of several modules share. No module needs it at run time. */
@NullMarked
package io.connectionledger.testkit;

import org.jspecify.annotations.NullMarked;
