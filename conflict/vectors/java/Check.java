import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A second implementation of FORMAT.md, written from that page alone, which checks every test vector: it decodes,
 * encodes, merges, reads and hashes them and compares what comes out. Texts are the one thing that it does not read,
 * because they are Yjs updates. Run it with `java Check.java`; it prints counts, and fails on the first mismatch of
 * each kind. It shares no line with the library.
 */
public final class Check {
  static final long MOST = (1L << 53) - 1;
  static final int REGISTER = 0xf6, ELEMENT = 0xf7, COUNTER = 0xf8, RIGHTS = 0xf9, MOVED = 0xfa, CHUNK = 0xfb;
  static final int CLIENT = 0xfc, MARK = 0xfd, DELETION = 0xfe, EXTENDED = 0xff;
  static int checked = 0;
  static int wrong = 0;

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(System.getProperty("vectors", "vectors"));
    for (String name : List.of("values", "stamps", "clocks", "contexts", "seals", "records", "merges", "malformed")) {
      Map<String, Object> file = map(new Json(Files.readString(folder.resolve(name + ".json"))).whole());
      int before = checked;
      for (Object vector : list(file.get("vectors"))) {
        try {
          check(name, file, map(vector));
        } catch (RuntimeException reason) {
          mismatch(name, vector, reason.toString(), "no error");
        }
      }
      System.out.printf("%-10s %6d comparisons in %d vectors%n", name, checked - before, list(file.get("vectors")).size());
    }
    System.out.printf("%d comparisons, %d mismatches%n", checked, wrong);
    System.exit(wrong == 0 && checked > 0 ? 0 : 1);
  }

  static void check(String name, Map<String, Object> file, Map<String, Object> vector) {
    switch (name) {
      case "values" -> checkValue(vector);
      case "stamps" -> checkStamp(vector);
      case "clocks" -> checkClock(file, vector);
      case "contexts" -> checkContext(vector);
      case "seals" -> checkSeal(vector);
      case "records" -> checkRecord(file, vector);
      case "merges" -> checkMerge(vector);
      default -> checkMalformed(vector);
    }
  }

  static void same(String what, Object found, Object wanted) {
    checked++;
    if (!Objects.equals(found, wanted)) mismatch(what, what, found, wanted);
  }

  static void mismatch(String what, Object where, Object found, Object wanted) {
    if (wrong++ < 20) System.out.printf("MISMATCH in %s%n  %s%n  found  %s%n  wanted %s%n", what, where, found, wanted);
  }

  // ---- bytes ----

  static final class Refused extends RuntimeException {
    final String code;

    Refused(String code, String message) {
      super(message);
      this.code = code;
    }
  }

  static Refused malformed(String message) {
    return new Refused("malformed", message);
  }

  static final class Reader {
    final byte[] bytes;
    int at;
    final int end;

    Reader(byte[] bytes) {
      this(bytes, 0, bytes.length);
    }

    Reader(byte[] bytes, int at, int end) {
      this.bytes = bytes;
      this.at = at;
      this.end = end;
    }

    int left() {
      return end - at;
    }

    int octet() {
      if (at >= end) throw malformed("truncated");
      return bytes[at++] & 0xff;
    }

    long varint() {
      long value = 0;
      for (int shift = 0; shift < 56; shift += 7) {
        int octet = octet();
        value |= (long) (octet & 0x7f) << shift;
        if (octet >= 0x80) continue;
        if ((octet == 0 && shift > 0) || value > MOST) throw malformed("varint");
        return value;
      }
      throw malformed("varint");
    }

    byte[] take(long count) {
      if (count > left()) throw malformed("length");
      at += (int) count;
      return Arrays.copyOfRange(bytes, at - (int) count, at);
    }
  }

  static final class Writer {
    byte[] bytes = new byte[256];
    int length = 0;

    Writer octet(int value) {
      if (length == bytes.length) bytes = Arrays.copyOf(bytes, 2 * length);
      bytes[length++] = (byte) value;
      return this;
    }

    Writer varint(long value) {
      long rest = value;
      for (; rest >= 0x80; rest >>>= 7) octet((int) (rest & 0x7f) | 0x80);
      return octet((int) rest);
    }

    Writer raw(byte[] more) {
      for (byte each : more) octet(each);
      return this;
    }

    /** With its length in front. */
    Writer sized(byte[] more) {
      return varint(more.length).raw(more);
    }

    byte[] done() {
      return Arrays.copyOf(bytes, length);
    }
  }

  static String text(byte[] utf8) {
    try {
      var decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
      return decoder.onUnmappableCharacter(CodingErrorAction.REPORT).decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException reason) {
      throw malformed("utf-8");
    }
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] bytes(Object hex) {
    return HexFormat.of().parseHex((String) hex);
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  // ---- values ----

  /** null, Boolean, Long for safe integers, Double for all other numbers, String, List, Map. */
  static Object readValue(Reader in, int depth) {
    int head = in.octet();
    if (head >= 0x20 && head < 0x40) return (long) (head - 0x20);
    if (head >= 0x40 && head < 0x80) return text(in.take(head - 0x40));
    if (head >= 0x80 && head < 0x90) return readArray(in, head - 0x80, depth);
    if (head >= 0x90 && head < 0xa0) return readObject(in, head - 0x90, depth);
    return switch (head) {
      case 0x00 -> null;
      case 0x01 -> false;
      case 0x02 -> true;
      case 0x03 -> readDouble(in);
      case 0x04 -> least(in.varint(), 32);
      case 0x05 -> -least(in.varint(), 1);
      case 0x06 -> text(in.take(least(in.varint(), 64)));
      case 0x07 -> readArray(in, least(in.varint(), 16), depth);
      case 0x08 -> readObject(in, least(in.varint(), 16), depth);
      default -> throw new Refused("newer-format", "type of a value");
    };
  }

  static long least(long value, long least) {
    if (value < least) throw malformed("not in the shortest form");
    return value;
  }

  static Double readDouble(Reader in) {
    double value = ByteBuffer.wrap(in.take(8)).getDouble();
    if (!Double.isFinite(value) || isInteger(value)) throw malformed("double");
    return value;
  }

  static boolean isInteger(double value) {
    return value == Math.rint(value) && Math.abs(value) <= MOST && !(value == 0 && 1 / value < 0);
  }

  static List<Object> readArray(Reader in, long count, int depth) {
    if (count > in.left() || depth >= 256) throw malformed("count or depth");
    List<Object> items = new ArrayList<>();
    for (long at = 0; at < count; at++) items.add(readValue(in, depth + 1));
    return items;
  }

  static Map<String, Object> readObject(Reader in, long count, int depth) {
    if (count > in.left() || depth >= 256) throw malformed("count or depth");
    Map<String, Object> members = new LinkedHashMap<>();
    byte[] last = null;
    for (long at = 0; at < count; at++) {
      byte[] name = in.take(in.varint());
      if (last != null && Arrays.compareUnsigned(last, name) >= 0) throw malformed("members out of order");
      last = name;
      members.put(text(name), readValue(in, depth + 1));
    }
    return members;
  }

  static void writeValue(Writer out, Object value) {
    if (value == null) out.octet(0x00);
    else if (value instanceof Boolean flag) out.octet(flag ? 0x02 : 0x01);
    else if (value instanceof Double number) out.octet(0x03).raw(ByteBuffer.allocate(8).putDouble(number).array());
    else if (value instanceof Long number && number < 0) out.octet(0x05).varint(-number);
    else if (value instanceof Long number && number < 32) out.octet(0x20 + (int) (long) number);
    else if (value instanceof Long number) out.octet(0x04).varint(number);
    else if (value instanceof String string) {
      byte[] bytes = utf8(string);
      head(out, bytes.length, 0x40, 64, 0x06).raw(bytes);
    } else if (value instanceof List<?> items) {
      head(out, items.size(), 0x80, 16, 0x07);
      for (Object item : items) writeValue(out, item);
    } else {
      Map<byte[], Object> sorted = new TreeMap<>(Arrays::compareUnsigned);
      map(value).forEach((name, item) -> sorted.put(utf8(name), item));
      head(out, sorted.size(), 0x90, 16, 0x08);
      sorted.forEach((name, item) -> writeValue(out.sized(name), item));
    }
  }

  static Writer head(Writer out, int count, int small, int smallEnd, int large) {
    return count < smallEnd ? out.octet(small + count) : out.octet(large).varint(count);
  }

  static void checkValue(Map<String, Object> vector) {
    Writer out = new Writer();
    writeValue(out, vector.get("value"));
    same("encoded value", hex(out.done()), vector.get("hex"));
    Reader in = new Reader(bytes(vector.get("hex")));
    same("decoded value", readValue(in, 0), vector.get("value"));
    same("rest of a value", in.left(), 0);
  }

  // ---- stamps ----

  record Stamp(long ms, int logical) implements Comparable<Stamp> {
    public int compareTo(Stamp other) {
      return ms != other.ms ? Long.compare(ms, other.ms) : Integer.compare(logical, other.logical);
    }

    byte[] encoded() {
      Writer out = new Writer();
      for (int shift = 40; shift >= 0; shift -= 8) out.octet((int) (ms >> shift));
      return (logical == 0 ? out : out.octet(0xff).octet(logical >> 8).octet(logical)).done();
    }

    static Stamp read(Reader in) {
      long ms = 0;
      for (int count = 0; count < 6; count++) ms = ms << 8 | in.octet();
      if (in.left() == 0 || (in.bytes[in.at] & 0xff) != 0xff) return new Stamp(ms, 0);
      in.octet();
      int logical = in.octet() << 8 | in.octet();
      if (logical == 0) throw malformed("stamp");
      return new Stamp(ms, logical);
    }

    static Stamp next(long nowMs, Stamp highest) {
      if (highest == null || nowMs > highest.ms) return new Stamp(nowMs, 0);
      if (highest.logical < 0xffff) return new Stamp(highest.ms, highest.logical + 1);
      return highest.ms < (1L << 48) - 1 ? new Stamp(highest.ms + 1, 0) : highest;
    }

    static Stamp of(Object json) {
      return json == null ? null : new Stamp((Long) map(json).get("ms"), (int) (long) (Long) map(json).get("logical"));
    }
  }

  static void checkStamp(Map<String, Object> vector) {
    if (vector.containsKey("hex")) {
      same("encoded stamp", hex(Stamp.of(vector.get("stamp")).encoded()), vector.get("hex"));
      same("decoded stamp", Stamp.read(new Reader(bytes(vector.get("hex")))), Stamp.of(vector.get("stamp")));
    } else {
      Stamp next = Stamp.next((Long) vector.get("nowMs"), Stamp.of(vector.get("highest")));
      same("next stamp", next, Stamp.of(vector.get("next")));
    }
  }

  static void checkClock(Map<String, Object> file, Map<String, Object> vector) {
    Stamp last = null;
    long maxDriftMs = (Long) file.get("maxDriftMs");
    for (Object each : list(vector.get("steps"))) {
      Map<String, Object> step = map(each);
      long nowMs = (Long) step.get("nowMs");
      Stamp received = Stamp.of(step.get("received"));
      boolean isAhead = received != null && received.ms - nowMs > maxDriftMs;
      String refusal = vector.get("beyondDrift").equals("reject") ? "rejected" : "quarantined";
      if (received != null) same("outcome", isAhead ? refusal : "accepted", step.get("outcome"));
      if (isAhead) continue;
      if (received != null && (last == null || received.compareTo(last) > 0)) last = received;
      last = Stamp.next(nowMs, last);
      same("stamp of a clock", last, Stamp.of(step.get(received == null ? "sent" : "stamp")));
    }
  }

  // ---- contexts ----

  /** What was seen of one actor: runs of first and last counter that do not touch; the first may begin with 1. */
  static final class Seen {
    final List<long[]> runs = new ArrayList<>();

    boolean has(long counter) {
      return runs.stream().anyMatch(run -> run[0] <= counter && counter <= run[1]);
    }

    void add(long first, long last) {
      runs.add(new long[] {first, last});
      runs.sort((a, b) -> Long.compare(a[0], b[0]));
      List<long[]> joined = new ArrayList<>();
      for (long[] run : runs) {
        long[] top = joined.isEmpty() ? null : joined.get(joined.size() - 1);
        if (top != null && run[0] <= top[1] + 1) top[1] = Math.max(top[1], run[1]);
        else joined.add(run.clone());
      }
      runs.clear();
      runs.addAll(joined);
    }

    long max() {
      return runs.isEmpty() || runs.get(0)[0] != 1 ? 0 : runs.get(0)[1];
    }

    List<long[]> above() {
      return max() == 0 ? runs : runs.subList(1, runs.size());
    }
  }

  static TreeMap<byte[], Seen> context() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  static void checkContext(Map<String, Object> vector) {
    Rec built = new Rec(0, context(), new ArrayList<>());
    for (Object run : list(vector.get("dots"))) {
      List<Object> dots = list(run);
      Seen seen = built.context.computeIfAbsent(utf8((String) dots.get(0)), actor -> new Seen());
      seen.add((Long) dots.get(1), (Long) dots.get(2));
    }
    same("encoded context", hex(encode(built)), vector.get("hex"));
    same("decoded context", hex(encode(decode(bytes(vector.get("hex"))))), vector.get("hex"));
  }

  static void checkSeal(Map<String, Object> vector) {
    byte[] sealed = bytes(vector.get("sealed"));
    int length = Math.max(0, sealed.length - 4);
    CRC32C checksum = new CRC32C();
    checksum.update(sealed, 0, length);
    byte[] wanted = ByteBuffer.allocate(4).putInt((int) checksum.getValue()).array();
    boolean opens = sealed.length >= 4 && Arrays.equals(wanted, Arrays.copyOfRange(sealed, length, sealed.length));
    same("whether a seal opens", opens ? null : "checksum-mismatch", vector.get("code"));
    if (opens) same("content", hex(Arrays.copyOf(sealed, length)), vector.get("content"));
  }

  // ---- records ----

  record Entry(byte[] key, byte[] path, int tag, byte[] sub, byte[] actor, long counter, byte[] payload) {
    int traits() {
      return tag > EXTENDED ? tag & 7 : new int[] {4, 1, 2, 2, 3, 1, 0, 4, 4}[tag - REGISTER];
    }

    boolean isVector() {
      return (traits() & 2) != 0;
    }

    Stamp stamp() {
      int from = (traits() & 4) != 0 ? 0 : tag == CHUNK || (tag == ELEMENT && payload.length > 1) ? 1 : -1;
      return from < 0 ? null : Stamp.read(new Reader(payload, from, payload.length));
    }

    List<String> names() {
      List<String> names = new ArrayList<>();
      if (path.length == 0) return names;
      int start = 0;
      for (int at = 0; at <= path.length; at++) {
        if (at < path.length && (path[at] & 0xff) != 0xf5) continue;
        names.add(text(Arrays.copyOfRange(path, start, at)));
        start = at + 1;
      }
      return names;
    }

    List<Long> vector() {
      Reader in = new Reader(payload);
      List<Long> numbers = new ArrayList<>();
      while (in.left() > 0) numbers.add(in.varint());
      if (!numbers.isEmpty() && numbers.get(numbers.size() - 1) == 0) throw malformed("trailing zero");
      return numbers;
    }

    long number(int at) {
      List<Long> numbers = vector();
      return at < numbers.size() ? numbers.get(at) : 0;
    }

    boolean isExhausted() {
      List<Long> numbers = vector();
      for (int at = 0; at < numbers.size(); at += 2) if (number(at) > number(at + 1)) return false;
      return true;
    }

    boolean isRemoval() {
      return tag == ELEMENT && payload.length > 0 && payload[0] == 1;
    }

    String slot() {
      return hex(key) + " " + hex(actor) + (isVector() ? "" : " " + counter);
    }

    String dot() {
      return counter + " " + hex(actor);
    }
  }

  record Rec(int minor, TreeMap<byte[], Seen> context, List<Entry> entries) {
    boolean has(Entry entry) {
      Seen seen = context.get(entry.actor);
      return seen != null && seen.has(entry.counter);
    }

    boolean covers(Rec other) {
      for (var each : other.context.entrySet()) {
        Seen seen = context.get(each.getKey());
        for (long[] run : each.getValue().runs) {
          if (seen == null || seen.runs.stream().noneMatch(mine -> mine[0] <= run[0] && run[1] <= mine[1])) return false;
        }
      }
      return true;
    }
  }

  static Rec decode(byte[] bytes) {
    if (bytes.length == 0) return new Rec(0, context(), new ArrayList<>());
    Reader in = new Reader(bytes);
    int version = in.octet();
    if (version >> 4 > 1) throw new Refused("newer-format", "major version");
    if (version >> 4 < 1) throw malformed("major version");
    Rec found = new Rec(version & 0x0f, context(), new ArrayList<>());
    List<byte[]> actors = new ArrayList<>();
    long count = in.varint();
    if (count == 0 || count > in.left()) throw malformed("count of actors");
    for (long at = 0; at < count; at++) readActor(in, actors, found.context);
    while (in.left() > 0) {
      Entry entry = readEntry(new Reader(in.take(in.varint())), actors);
      if (!found.entries.isEmpty() && order(found.entries.get(found.entries.size() - 1), entry) >= 0) {
        throw malformed("entries out of order");
      }
      if (!found.has(entry)) throw malformed("dot that was not seen");
      found.entries.add(entry);
    }
    return found;
  }

  static void readActor(Reader in, List<byte[]> actors, Map<byte[], Seen> context) {
    int length = in.octet();
    if (length == 0 || length > 64) throw malformed("actor");
    byte[] name = in.take(length);
    text(name);
    if (!actors.isEmpty() && Arrays.compareUnsigned(actors.get(actors.size() - 1), name) >= 0) {
      throw malformed("actors out of order");
    }
    actors.add(name);
    Seen seen = new Seen();
    long last = in.varint();
    if (last > 0) seen.runs.add(new long[] {1, last});
    long runs = in.varint();
    if (runs > in.left()) throw malformed("count of runs");
    for (long at = 0; at < runs; at++) {
      long first = last + 2 + in.varint();
      last = first + in.varint();
      if (last > MOST) throw malformed("counter");
      seen.runs.add(new long[] {first, last});
    }
    if (last == 0) throw malformed("actor without a dot");
    context.put(name, seen);
  }

  static Entry readEntry(Reader in, List<byte[]> actors) {
    long index = in.varint();
    long counter = in.varint();
    if (index >= actors.size() || counter == 0) throw malformed("dot");
    int keyStart = in.at;
    while (in.left() > 0 && (in.bytes[in.at] & 0xff) < REGISTER) in.at++;
    byte[] path = Arrays.copyOfRange(in.bytes, keyStart, in.at);
    int tag = in.octet();
    if (tag == EXTENDED) tag = tag << 8 | in.octet();
    int traits = new Entry(null, null, tag, null, null, 0, null).traits();
    byte[] sub = (traits & 1) == 0 ? new byte[0] : in.take(in.varint());
    byte[] key = Arrays.copyOfRange(in.bytes, keyStart, in.at);
    return new Entry(key, path, tag, sub, actors.get((int) index), counter, in.take(in.left()));
  }

  static int order(Entry a, Entry b) {
    int byKey = Arrays.compareUnsigned(a.key, b.key);
    int byActor = byKey != 0 ? byKey : Arrays.compareUnsigned(a.actor, b.actor);
    return byActor != 0 || a.isVector() ? byActor : Long.compare(a.counter, b.counter);
  }

  static byte[] encode(Rec record) {
    if (record.context.isEmpty()) return new byte[0];
    Writer out = new Writer().octet(0x10 | record.minor).varint(record.context.size());
    List<String> index = new ArrayList<>();
    record.context.forEach((actor, seen) -> {
      index.add(hex(actor));
      out.octet(actor.length).raw(actor).varint(seen.max()).varint(seen.above().size());
      long last = seen.max();
      for (long[] run : seen.above()) {
        out.varint(run[0] - last - 2).varint(run[1] - run[0]);
        last = run[1];
      }
    });
    List<Entry> sorted = new ArrayList<>(record.entries);
    sorted.sort(Check::order);
    for (Entry entry : sorted) {
      Writer body = new Writer().varint(index.indexOf(hex(entry.actor))).varint(entry.counter);
      out.sized(body.raw(entry.key).raw(entry.payload).done());
    }
    return out.done();
  }

  // ---- validity ----

  static void validate(byte[] bytes) {
    Rec record = decode(bytes);
    var dots = new HashSet<String>();
    for (Entry entry : record.entries) {
      if (!dots.add(entry.dot())) throw malformed("dot used twice");
      boolean isOfRecord = entry.tag == MARK || entry.tag == DELETION;
      List<String> names = entry.names();
      if (isOfRecord ? !names.isEmpty() : names.isEmpty() && entry.tag < EXTENDED) throw malformed("path");
      if (names.size() > 32 || (names.size() > 1 && names.get(0).isEmpty())) throw malformed("path");
      if (names.stream().anyMatch(name -> utf8(name).length > 512)) throw malformed("name");
      if (entry.isVector() && (entry.traits() & 4) != 0) throw malformed("traits");
      if (entry.isVector()) entry.vector();
      else entry.stamp();
      if (record.minor == 0 && entry.tag < EXTENDED) validatePayload(entry);
    }
  }

  static void validatePayload(Entry entry) {
    Reader in = new Reader(entry.payload);
    switch (entry.tag) {
      case REGISTER -> {
        Stamp.read(in);
        readValue(in, 0);
      }
      case ELEMENT -> {
        Object element = element(entry);
        boolean fits = element instanceof String || element instanceof Boolean || element instanceof Number;
        if (!fits || element.equals(-0.0)) throw malformed("element");
        int kind = in.left() == 0 ? -1 : in.octet();
        if (kind > 1 || (kind == 0 && in.left() == 0)) throw malformed("kind");
        if (in.left() > 0) Stamp.read(in);
      }
      case CHUNK -> {
        Reader sub = new Reader(entry.sub);
        if (sub.varint() != entry.counter || sub.left() > 0 || in.octet() > 1) throw malformed("chunk");
        Stamp.read(in);
        in.octet();
        in.at = in.end;
      }
      case MARK, DELETION -> Stamp.read(in);
      case MOVED -> {
        if (entry.vector().size() > 2 || entry.sub.length == 0 || entry.sub.length > 64) throw malformed("moved");
        text(entry.sub);
        in.at = in.end;
      }
      case COUNTER, RIGHTS -> {
        if (entry.vector().size() > 4) throw malformed("slot");
        in.at = in.end;
      }
      default -> {}
    }
    if (in.left() > 0) throw malformed("payload");
  }

  static Object element(Entry entry) {
    Reader in = new Reader(entry.sub);
    Object element = readValue(in, 0);
    if (in.left() > 0) throw malformed("element");
    return element;
  }

  static void checkMalformed(Map<String, Object> vector) {
    String code = null;
    try {
      validate(bytes(vector.get("hex")));
    } catch (Refused reason) {
      code = reason.code;
    }
    same("code of " + vector.get("name"), code, vector.get("code"));
  }

  // ---- merge ----

  static Rec join(Rec a, Rec b) {
    if (a.covers(b)) return a;
    Rec joined = new Rec(Math.max(a.minor, b.minor), context(), new ArrayList<>());
    for (Rec side : List.of(a, b)) {
      side.context.forEach((actor, seen) -> {
        Seen union = joined.context.computeIfAbsent(actor, name -> new Seen());
        for (long[] run : seen.runs) union.add(run[0], run[1]);
      });
    }
    Map<String, Entry> others = new HashMap<>();
    for (Entry entry : b.entries) others.put(entry.slot(), entry);
    for (Entry entry : a.entries) {
      Entry other = others.remove(entry.slot());
      Entry survivor = other != null ? survivor(entry, other) : b.has(entry) ? null : entry;
      if (survivor != null) joined.entries.add(survivor);
    }
    for (Entry entry : others.values()) if (!a.has(entry)) joined.entries.add(entry);
    return joined;
  }

  static Entry survivor(Entry mine, Entry theirs) {
    if (mine.isVector()) {
      if (mine.counter != theirs.counter) return mine.counter > theirs.counter ? mine : theirs;
      Writer out = new Writer();
      int length = Math.max(mine.vector().size(), theirs.vector().size());
      for (int at = 0; at < length; at++) out.varint(Math.max(mine.number(at), theirs.number(at)));
      return new Entry(mine.key, mine.path, mine.tag, mine.sub, mine.actor, mine.counter, out.done());
    }
    return Arrays.compareUnsigned(mine.payload, theirs.payload) >= 0 ? mine : theirs;
  }

  static void checkMerge(Map<String, Object> vector) {
    Rec a = decode(bytes(vector.get("a")));
    Rec b = decode(bytes(vector.get("b")));
    same("merge of " + vector.get("name"), hex(encode(join(a, b))), vector.get("join"));
    same("the other merge of " + vector.get("name"), hex(encode(join(b, a))), vector.get("join"));
    Rec joined = decode(bytes(vector.get("join")));
    same("merge once more", hex(encode(join(joined, a))), vector.get("join"));
    validate(bytes(vector.get("join")));
  }

  // ---- what is shown ----

  static int later(Entry a, Entry b) {
    int byStamp = a.stamp().compareTo(b.stamp());
    if (byStamp != 0) return byStamp;
    int byActor = Arrays.compareUnsigned(a.actor, b.actor);
    return byActor != 0 ? byActor : Long.compare(a.counter, b.counter);
  }

  static Entry deletion(Rec record) {
    return record.entries.stream().filter(entry -> entry.tag == DELETION).max(Check::later).orElse(null);
  }

  static boolean isHidden(Entry entry, Entry deletion) {
    return deletion != null && entry.stamp() != null && later(entry, deletion) < 0;
  }

  /** Of one actor only the latest entry at a key counts, except for vectors. */
  static Rec current(Rec record) {
    List<Entry> entries = new ArrayList<>();
    for (int at = 0; at < record.entries.size(); at++) {
      Entry entry = record.entries.get(at);
      Entry next = at + 1 < record.entries.size() ? record.entries.get(at + 1) : null;
      boolean isOutdated = next != null && !entry.isVector()
          && Arrays.equals(entry.key, next.key) && Arrays.equals(entry.actor, next.actor);
      if (!isOutdated) entries.add(entry);
    }
    return new Rec(record.minor, record.context, entries);
  }

  static List<Entry> live(Rec all) {
    Rec record = current(all);
    Entry deletion = deletion(record);
    boolean marked = record.entries.stream().anyMatch(entry -> entry.tag == MARK && !isHidden(entry, deletion));
    if (deletion != null && !marked) return List.of();
    return record.entries.stream().filter(entry -> isLive(record, entry, deletion)).toList();
  }

  /** What the hashes cover: live entries, and spendings that have nothing granted beside them. */
  static List<Entry> shown(Rec all) {
    List<Entry> live = live(all);
    if (live.isEmpty()) return live;
    return current(all).entries.stream()
        .filter(entry -> live.contains(entry) || entry.tag == RIGHTS && !entry.isExhausted()).toList();
  }

  static boolean isLive(Rec record, Entry entry, Entry deletion) {
    return switch (entry.tag) {
      case DELETION, CLIENT -> false;
      case RIGHTS -> entry.number(0) > entry.number(1);
      case CHUNK -> entry.payload[0] == 0 && !isTextHidden(record, entry, deletion);
      case ELEMENT -> !isHidden(entry, deletion) && record.entries.stream().noneMatch(
          other -> other.isRemoval() && Arrays.equals(other.key, entry.key) && !isHidden(other, deletion));
      default -> entry.isVector() ? !entry.isExhausted() : !isHidden(entry, deletion);
    };
  }

  static boolean isTextHidden(Rec record, Entry chunk, Entry deletion) {
    return record.entries.stream().filter(entry -> entry.tag == CHUNK && entry.payload[0] == 0 && Arrays.equals(entry.path, chunk.path))
        .allMatch(entry -> isHidden(entry, deletion));
  }

  static byte[] liveHash(List<Entry> entries, String name) {
    Writer out = new Writer().sized(utf8(name));
    for (Entry entry : entries) {
      out.sized(entry.key).sized(entry.actor).varint(entry.counter).sized(entry.payload);
    }
    return murmur(out.done());
  }

  static void checkRecord(Map<String, Object> file, Map<String, Object> vector) {
    byte[] bytes = bytes(vector.get("hex"));
    String name = " of " + vector.get("name");
    validate(bytes);
    Rec record = decode(bytes);
    same("encoding" + name, hex(encode(record)), vector.get("hex"));
    same("minor version" + name, (long) record.minor, vector.get("minor"));
    List<Object> rows = new ArrayList<>();
    record.context.forEach((actor, seen) -> {
      List<Object> runs = new ArrayList<>();
      for (long[] run : seen.above()) runs.addAll(List.of(run[0], run[1]));
      rows.add(Map.of("actor", text(actor), "max", seen.max(), "runs", runs));
    });
    same("context" + name, rows, vector.get("context"));
    same("entries" + name, record.entries.stream().map(Check::row).toList(), vector.get("entries"));
    List<Entry> live = live(record);
    same("existence" + name, !live.isEmpty(), vector.get("exists"));
    same("version" + name, hex(liveHash(shown(record), "")), vector.get("version"));
    String liveName = (String) file.get("liveName");
    same("live hash" + name, hex(live.isEmpty() ? new byte[16] : liveHash(shown(record), liveName)), vector.get("liveHash"));
    Reading reading = new Reading(record);
    Map<String, Object> shown = reading.map(map(file.get("fields")), null, List.of());
    same("value" + name, live.isEmpty() ? null : withoutText(shown), live.isEmpty() ? null : withoutText(vector.get("value")));
    same("siblings" + name, live.isEmpty() ? Map.of() : reading.siblings, vector.get("siblings"));
  }

  /** The one text of the fields. */
  static Map<String, Object> withoutText(Object value) {
    Map<String, Object> rest = new HashMap<>(map(value));
    rest.remove("notes");
    return rest;
  }

  static Map<String, Object> row(Entry entry) {
    Map<String, Object> row = new HashMap<>();
    row.put("path", entry.names());
    row.put("tag", Integer.toHexString(entry.tag));
    row.put("sub", hex(entry.sub));
    row.put("actor", text(entry.actor));
    row.put("counter", entry.counter);
    row.put("payload", hex(entry.payload));
    Stamp stamp = entry.stamp();
    row.put("stamp", stamp == null ? null : Map.of("ms", stamp.ms, "logical", (long) stamp.logical));
    return row;
  }

  static final class Reading {
    final Rec record;
    final Entry deletion;
    final Map<String, Object> siblings = new HashMap<>();
    boolean live;

    Reading(Rec all) {
      this.record = current(all);
      this.deletion = deletion(record);
    }

    /** Members by declaration, or by what is stored. Sets `live` to whether anything stands behind them. */
    Map<String, Object> map(Map<String, Object> fields, Map<String, Object> of, List<String> names) {
      Map<String, Object> shown = new HashMap<>();
      boolean anyLive = false;
      for (String name : fields != null ? fields.keySet() : stored(names)) {
        List<String> path = new ArrayList<>(names);
        path.add(name);
        Map<String, Object> field = fields != null ? Check.map(fields.get(name)) : of;
        live = false;
        Object value = field(field, path);
        boolean isOptional = of != null || field.get("type").equals("register") || field.get("type").equals("map");
        if (live || !isOptional) shown.put(name, value);
        anyLive |= live;
      }
      live = anyLive;
      return shown;
    }

    List<String> stored(List<String> names) {
      return record.entries.stream().map(Entry::names)
          .filter(path -> path.size() > names.size() && path.subList(0, names.size()).equals(names))
          .map(path -> path.get(names.size())).distinct().toList();
    }

    List<Entry> at(List<String> path, int tag) {
      return record.entries.stream().filter(entry -> entry.tag == tag && entry.names().equals(path)).toList();
    }

    Object field(Map<String, Object> field, List<String> path) {
      return switch ((String) field.get("type")) {
        case "map" -> map(field.containsKey("fields") ? Check.map(field.get("fields")) : null,
            field.containsKey("of") ? Check.map(field.get("of")) : null, path);
        case "register" -> register(path);
        case "counter" -> counter(path);
        case "bounded-counter" -> bounded(path, field.get("min") == null ? 0 : (Long) field.get("min"));
        case "set" -> set(path);
        default -> text(path);
      };
    }

    Object register(List<String> path) {
      List<Entry> entries = at(path, REGISTER).stream().filter(entry -> !isHidden(entry, deletion))
          .sorted((a, b) -> later(b, a)).toList();
      live = !entries.isEmpty();
      List<Object> rows = new ArrayList<>();
      for (Entry entry : entries) rows.add(sibling(entry, rows.isEmpty()));
      if (rows.size() > 1) {
        siblings.put(String.join(".", path.stream().map(name -> name.replace("\\", "\\\\").replace(".", "\\.")).toList()), rows);
      }
      return live ? Check.map(rows.get(0)).get("value") : null;
    }

    Map<String, Object> sibling(Entry entry, boolean shown) {
      Reader in = new Reader(entry.payload);
      Stamp stamp = Stamp.read(in);
      Map<String, Object> row = new HashMap<>();
      row.put("value", readValue(in, 0));
      row.put("at", stamp.ms);
      row.put("logical", (long) stamp.logical);
      row.put("actor", Check.text(entry.actor));
      row.put("counter", entry.counter);
      row.put("shown", shown);
      return row;
    }

    Object counter(List<String> path) {
      BigInteger sum = BigInteger.ZERO;
      for (Entry slot : at(path, COUNTER)) {
        live |= !slot.isExhausted();
        sum = sum.add(big(slot.number(0) - slot.number(1))).subtract(big(slot.number(2) - slot.number(3)));
      }
      return number(sum);
    }

    Object bounded(List<String> path, long minimum) {
      Map<String, long[]> accounts = new HashMap<>();
      for (Entry slot : at(path, RIGHTS)) {
        long[] account = accounts.computeIfAbsent(hex(slot.actor), actor -> new long[4]);
        for (int index = 0; index < 4; index++) account[index] += slot.number(index);
      }
      for (Entry slot : at(path, MOVED)) {
        long[] account = accounts.computeIfAbsent(hex(slot.sub), actor -> new long[4]);
        for (int index = 0; index < 2; index++) account[index] += slot.number(index);
      }
      BigInteger sum = BigInteger.ZERO;
      for (long[] account : accounts.values()) {
        long balance = account[0] - account[1] - (account[2] - account[3]);
        long forgiven = Math.min(Math.max(0, account[1] - account[3]), Math.max(0, -balance));
        live |= balance + forgiven > 0;
        sum = sum.add(big(balance + forgiven));
      }
      return number(big(minimum).add(sum.max(BigInteger.ZERO)));
    }

    Object set(List<String> path) {
      List<Entry> entries = at(path, ELEMENT).stream().filter(entry -> !isHidden(entry, deletion)).toList();
      List<String> removed = entries.stream().filter(Entry::isRemoval).map(entry -> hex(entry.sub)).toList();
      List<Object> elements = new ArrayList<>(entries.stream().filter(entry -> !removed.contains(hex(entry.sub)))
          .map(Check::element).distinct().toList());
      elements.sort(Reading::order);
      live = !elements.isEmpty();
      return elements;
    }

    /** Booleans, then numbers, then texts by UTF-16 units. */
    static int order(Object a, Object b) {
      int rankA = a instanceof Boolean ? 0 : a instanceof Number ? 1 : 2;
      int rankB = b instanceof Boolean ? 0 : b instanceof Number ? 1 : 2;
      if (rankA != rankB) return rankA - rankB;
      if (a instanceof Boolean flag) return Boolean.compare(flag, (Boolean) b);
      if (a instanceof Number number) return Double.compare(number.doubleValue(), ((Number) b).doubleValue());
      return ((String) a).compareTo((String) b);
    }

    Object text(List<String> path) {
      List<Entry> chunks = at(path, CHUNK);
      live = chunks.stream().anyMatch(chunk -> chunk.payload[0] == 0)
          && chunks.stream().anyMatch(chunk -> !isHidden(chunk, deletion));
      return "";
    }
  }

  static BigInteger big(long value) {
    return BigInteger.valueOf(value);
  }

  static Object number(BigInteger value) {
    if (value.abs().compareTo(big(MOST)) <= 0) return value.longValue();
    return value.doubleValue();
  }

  // ---- MurmurHash3 x86_128, seed 0 (Austin Appleby, public domain) ----

  static byte[] murmur(byte[] data) {
    int[] c = {0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93};
    int[] spread = {15, 16, 17, 18};
    int[] turn = {19, 17, 15, 13};
    int[] add = {0x561ccd1b, 0x0bcaa747, 0x96cd1c35, 0x32ac3b17};
    int[] h = new int[4];
    int blocks = data.length / 16 * 16;
    for (int at = 0; at < data.length; at += 16) {
      for (int lane = 0; lane < 4; lane++) {
        int word = 0;
        for (int octet = 0; octet < 4; octet++) {
          int from = at + 4 * lane + octet;
          if (from < data.length) word |= (data[from] & 0xff) << 8 * octet;
        }
        h[lane] ^= Integer.rotateLeft(word * c[lane], spread[lane]) * c[(lane + 1) & 3];
        if (at < blocks) h[lane] = (Integer.rotateLeft(h[lane], turn[lane]) + h[(lane + 1) & 3]) * 5 + add[lane];
      }
    }
    for (int lane = 0; lane < 4; lane++) h[lane] ^= data.length;
    fold(h);
    for (int lane = 0; lane < 4; lane++) {
      h[lane] = (h[lane] ^ h[lane] >>> 16) * 0x85ebca6b;
      h[lane] = (h[lane] ^ h[lane] >>> 13) * 0xc2b2ae35;
      h[lane] ^= h[lane] >>> 16;
    }
    fold(h);
    ByteBuffer out = ByteBuffer.allocate(16);
    for (int word : h) out.putInt(word);
    return out.array();
  }

  static void fold(int[] h) {
    h[0] += h[1] + h[2] + h[3];
    for (int lane = 1; lane < 4; lane++) h[lane] += h[0];
  }

  // ---- JSON ----

  @SuppressWarnings("unchecked")
  static Map<String, Object> map(Object json) {
    return (Map<String, Object>) json;
  }

  @SuppressWarnings("unchecked")
  static List<Object> list(Object json) {
    return (List<Object>) json;
  }

  static final class Json {
    final String text;
    int at = 0;

    Json(String text) {
      this.text = text;
    }

    Object whole() {
      Object value = value();
      if (next() != '\0') throw new IllegalStateException("JSON goes on at " + at);
      return value;
    }

    char next() {
      while (at < text.length() && text.charAt(at) <= ' ') at++;
      return at < text.length() ? text.charAt(at) : '\0';
    }

    boolean skip(char wanted) {
      if (next() != wanted) return false;
      at++;
      return true;
    }

    Object value() {
      char first = next();
      if (first == '"') return string();
      if (first == '[') return array();
      if (first == '{') return object();
      int start = at;
      while (at < text.length() && "+-.eE".indexOf(text.charAt(at)) >= 0 || Character.isLetterOrDigit(text.charAt(at))) at++;
      String word = text.substring(start, at);
      return switch (word) {
        case "null" -> null;
        case "true" -> true;
        case "false" -> false;
        default -> number(word);
      };
    }

    static Object number(String word) {
      double value = Double.parseDouble(word);
      if (isInteger(value)) return (long) value;
      return value;
    }

    List<Object> array() {
      List<Object> items = new ArrayList<>();
      at++;
      if (skip(']')) return items;
      do items.add(value());
      while (skip(','));
      at++;
      return items;
    }

    Map<String, Object> object() {
      Map<String, Object> members = new LinkedHashMap<>();
      at++;
      if (skip('}')) return members;
      do {
        next();
        String name = string();
        skip(':');
        members.put(name, value());
      } while (skip(','));
      at++;
      return members;
    }

    String string() {
      StringBuilder found = new StringBuilder();
      for (at++; text.charAt(at) != '"'; at++) {
        char each = text.charAt(at);
        if (each != '\\') {
          found.append(each);
          continue;
        }
        char escaped = text.charAt(++at);
        int plain = "bfnrt".indexOf(escaped);
        if (escaped == 'u') {
          found.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
          at += 4;
        } else found.append(plain < 0 ? escaped : "\b\f\n\r\t".charAt(plain));
      }
      at++;
      return found.toString();
    }
  }
}
