/** One running instance: every part that its roles name, wired. */
@NullMarked
package io.connectionledger.app.serve;

import org.jspecify.annotations.NullMarked;
