using System.IO.Compression;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Replay;

/// <summary>A file format that prefixes are read from.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Matches">Whether a file (uncompressed) that begins with these bytes, at most 64, is of this format.</param>
/// <param name="Read">Reads the prefixes, from the first byte on. Throws <see cref="InvalidDataException"/> on a file that cannot be read.</param>
public sealed record RibFormat(string Name, Func<ReadOnlyMemory<byte>, bool> Matches, Func<Stream, IEnumerable<IpPrefix>> Read);

/// <summary>
/// Reads the prefixes of a routing table from a file: its content decides the format, and gzip and bzip2 are unpacked. Text has a prefix at the start of each line,
/// anything may follow after white space; blank lines and lines that begin with <c>#</c> are skipped.
/// </summary>
public static class RibFile
{
    private const int HeadBytes = 64;

    /// <summary>Reads all prefixes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="formats">Formats to try before text.</param>
    /// <exception cref="ReplayException">The file cannot be read; the message names it, and the line.</exception>
    public static IReadOnlyList<IpPrefix> ReadPrefixes(string path, IReadOnlyList<RibFormat> formats)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(formats);
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] magic = new byte[3];
            _ = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
            file.Position = 0;
            using Stream content = new BufferedStream(
                magic switch
                {
                    [0x1F, 0x8B, _] => new GZipStream(file, CompressionMode.Decompress),
                    [(byte)'B', (byte)'Z', (byte)'h'] => new Bzip2Stream(file),
                    _ => file,
                },
                1 << 16);
            byte[] head = new byte[HeadBytes];
            int length = content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            using Stream whole = new HeadStream(head.AsMemory(0, length), content);
            foreach (RibFormat format in formats)
            {
                if (format.Matches(head.AsMemory(0, length)))
                {
                    return [.. format.Read(whole)];
                }
            }

            return ReadText(whole);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ReplayException($"{path}: {e.Message}", e);
        }
    }

    private static List<IpPrefix> ReadText(Stream stream)
    {
        List<IpPrefix> prefixes = [];
        using StreamReader reader = new(stream);
        for (int line = 1; reader.ReadLine() is { } text; line++)
        {
            ReadOnlySpan<char> rest = text.AsSpan().Trim();
            if (rest.IsEmpty || rest[0] == '#')
            {
                continue;
            }

            int end = rest.IndexOfAny(' ', '\t');
            ReadOnlySpan<char> word = end < 0 ? rest : rest[..end];
            if (!IpPrefix.TryParse(word, out IpPrefix prefix))
            {
                string shown = word.Length > 64 ? string.Concat(word[..64], "...") : word.ToString();
                throw new InvalidDataException($"line {line}: '{shown}' is not a prefix (address/length, host bits zero)");
            }

            prefixes.Add(prefix);
        }

        return prefixes;
    }

    /// <summary>The bytes already read, then the rest of the stream.</summary>
    private sealed class HeadStream(ReadOnlyMemory<byte> head, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _head = head;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            if (_head.IsEmpty)
            {
                return rest.Read(buffer);
            }

            int count = Math.Min(buffer.Length, _head.Length);
            _head.Span[..count].CopyTo(buffer);
            _head = _head[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
