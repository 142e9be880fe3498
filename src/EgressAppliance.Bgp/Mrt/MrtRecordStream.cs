using System.Buffers.Binary;
using System.IO.Compression;

namespace EgressAppliance.Bgp.Mrt;

/// <summary>The common header of a record (RFC 6396 section 2).</summary>
/// <param name="Seconds">Seconds since 1970.</param>
/// <param name="Type">Type.</param>
/// <param name="Subtype">Subtype.</param>
internal readonly record struct MrtHeader(uint Seconds, ushort Type, ushort Subtype);

/// <summary>
/// Cuts a stream into records; unpacks gzip. One buffer is used for all of them. It grows with the octets that are there, not with what a length field claims, and no
/// record is longer than 16 MiB.
/// </summary>
internal sealed class MrtRecordStream
{
    private const int HeaderLength = 12;
    private const int MaxRecordLength = 16 << 20;
    private readonly byte[] _header = new byte[HeaderLength];
    private readonly Stream _stream;
    private byte[] _body = new byte[1 << 16];
    private int _length;
    private bool _ended;

    /// <exception cref="NotSupportedException">The file is compressed by xz, or by bzip2 and <paramref name="unpackBzip2"/> is null.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MrtRecordStream(Stream stream, Func<Stream, Stream>? unpackBzip2)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var buffered = new BufferedStream(stream, 1 << 16);
        Span<byte> magic = stackalloc byte[3];
        int read = buffered.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        var whole = new PrefixedStream(magic[..read].ToArray(), buffered);
        _stream = magic[..read] switch
        {
            [0x1F, 0x8B, ..] => new BufferedStream(new GZipStream(whole, CompressionMode.Decompress), 1 << 16),
            [(byte)'B', (byte)'Z', (byte)'h'] => new BufferedStream(
                unpackBzip2?.Invoke(whole) ?? throw new NotSupportedException("the file is compressed by bzip2; unpack it first (gzip is read as it is)"), 1 << 16),
            [0xFD, (byte)'7', (byte)'z'] => throw new NotSupportedException("the file is compressed by xz; unpack it first (gzip is read as it is)"),
            _ => whole,
        };
    }

    /// <summary>The file ended within a record.</summary>
    public bool Truncated { get; private set; }

    /// <summary>A length field exceeds every sensible record: nothing that follows can be found.</summary>
    public bool LengthIsWrong { get; private set; }

    /// <summary>The body of the record read last; valid until the next <see cref="TryRead"/>.</summary>
    public ReadOnlySpan<byte> Body => _body.AsSpan(0, _length);

    /// <summary>Reads the next record. False at the end, for whatever reason.</summary>
    public bool TryRead(out MrtHeader header)
    {
        header = default;
        _length = 0;
        if (_ended || !ReadFully(_header))
        {
            _ended = true;
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(8));
        if (length > MaxRecordLength)
        {
            LengthIsWrong = true;
            _ended = true;
            return false;
        }

        for (int have = 0; have < length;)
        {
            if (have == _body.Length)
            {
                Array.Resize(ref _body, Math.Min((int)length, have * 2));
            }

            int part = Math.Min((int)length, _body.Length) - have;
            if (!ReadFully(_body.AsSpan(have, part)))
            {
                Truncated = true;
                _ended = true;
                return false;
            }

            have += part;
        }

        _length = (int)length;
        header = new(
            BinaryPrimitives.ReadUInt32BigEndian(_header), BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(4)),
            BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(6)));
        return true;
    }

    private bool ReadFully(Span<byte> buffer)
    {
        int read;
        try
        {
            read = _stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException)
        {
            // The archive itself is cut or damaged.
            Truncated = true;
            return false;
        }

        Truncated |= read > 0 && read < buffer.Length;
        return read == buffer.Length;
    }

    /// <summary>Gives back octets that were read to look at before those of a stream that cannot seek.</summary>
    private sealed class PrefixedStream(byte[] start, Stream rest) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (_given == start.Length)
            {
                return rest.Read(buffer);
            }

            int count = Math.Min(buffer.Length, start.Length - _given);
            start.AsSpan(_given, count).CopyTo(buffer);
            _given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
