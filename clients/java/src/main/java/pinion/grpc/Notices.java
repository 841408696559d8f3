package pinion.grpc;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Tells each different notice once. Safe for use by any thread. */
final class Notices {
  private static final int TOLD_MAX = 1024; // then all are forgotten, and told again

  private final Consumer<Notice> notify;
  private final Logger logger;
  private final Set<Notice> told = new HashSet<>();

  Notices(Consumer<Notice> notify, Logger logger) {
    this.notify = notify;
    this.logger = logger;
  }

  void tell(Notice notice) {
    if (!first(notice)) return;
    logger.log(Level.WARNING, () -> "calls of " + notice.grpcService() + " are answered by version " + notice.version()
        + notice.deprecated().map(time -> ", deprecated since " + time).orElse(", which is deprecated")
        + notice.sunset().map(time -> ", ending on " + time).orElse("") + notice.link().map(link -> "; see " + link).orElse(""));
    notify.accept(notice);
  }

  private synchronized boolean first(Notice notice) {
    if (told.size() >= TOLD_MAX && !told.contains(notice)) told.clear();
    return told.add(notice);
  }
}
