using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;

namespace EgressAppliance.Host;

/// <summary>
/// Unpacks bzip2, also several archives behind one another. What comes before a damage or a sudden end is given to the last octet; then the stream throws
/// <see cref="InvalidDataException"/>, as the framework's own streams do.
/// </summary>
public sealed class Bzip2Stream : Stream
{
    private readonly Octets _packed;
    private BZip2InputStream? _part;
    private Exception? _failure;
    private bool _gave;
    private bool _ended;

    /// <summary>Unpacks the stream from where it stands.</summary>
    public Bzip2Stream(Stream packed) => _packed = new Octets(packed);

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        // Octet by octet, which is how the library does it, too: its own Read loses what it has when it throws.
        int count = 0;
        while (count < buffer.Length && NextByte() is var next and >= 0)
        {
            buffer[count++] = (byte)next;
        }

        return count > 0 || buffer.IsEmpty || _failure is null ? count : throw new InvalidDataException("the bzip2 archive is cut off or damaged", _failure);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _part?.Dispose();
            _packed.Dispose();
        }

        base.Dispose(disposing);
    }

    private int NextByte()
    {
        while (!_ended)
        {
            long start = _packed.Given;
            try
            {
                if (_part is null)
                {
                    _part = new BZip2InputStream(_packed) { IsStreamOwner = false };
                    _gave = false;
                }

                int next = _part.ReadByte();
                if (next >= 0)
                {
                    _gave = true;
                    return next;
                }

                // The end of one archive; the next one may follow. One that gives nothing is none.
                _part = null;
                _ended = !_gave;
            }
            catch (EndOfStreamException e)
            {
                // Every file ends like this, when nothing is there where the next archive could begin.
                _failure = _packed.Given == start && start > 0 && _part is null ? null : e;
                _ended = true;
            }
            catch (Exception e) when (e is SharpZipBaseException or IndexOutOfRangeException)
            {
                _failure = e;
                _ended = true;
            }
        }

        return -1;
    }

    /// <summary>The packed stream octet by octet, as the library takes it, and how many were taken.</summary>
    private sealed class Octets(Stream packed) : Stream
    {
        private readonly byte[] _buffer = new byte[1 << 16];
        private int _length;
        private int _next;

        public long Given { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int ReadByte()
        {
            if (_next == _length)
            {
                _next = 0;
                _length = packed.Read(_buffer);
                if (_length == 0)
                {
                    return -1;
                }
            }

            Given++;
            return _buffer[_next++];
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int next = count == 0 ? -1 : ReadByte();
            if (next >= 0)
            {
                buffer[offset] = (byte)next;
            }

            return next >= 0 ? 1 : 0;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                packed.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
