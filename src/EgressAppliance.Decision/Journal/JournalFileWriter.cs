using System.Buffers;
using System.IO.Compression;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Writes one journal file: gzip (RFC 1952) of JSON lines. First the header, then a line for each call, and a last line that tells how many there were, by which a
/// reader knows that the file is whole. After <see cref="Flush"/> all that was added can be read even if nothing more is ever written.
/// Not safe for concurrent use. An exception of the stream passes, and then the file is to be given up.
/// </summary>
public sealed class JournalFileWriter : IDisposable
{
    /// <summary>Longest line, octets; readers refuse longer ones.</summary>
    public const int MaxLineBytes = 64 << 20;

    /// <summary>Most different lists of paths in a file; readers refuse more.</summary>
    public const int MaxPathLists = 1_000_000;

    private const int DrainAt = 64 << 10;
    private const int KeptLineBytes = 4 << 20;
    private readonly Stream _destination;
    private readonly JournalEncoder _encoder = new();
    private readonly MemoryStream _compressed = new();
    private readonly GZipStream _gzip;
    private ArrayBufferWriter<byte> _line = new();
    private bool _closed;

    /// <summary>Begins a file with its header.</summary>
    /// <param name="destination">Where to; disposed with the writer.</param>
    /// <param name="header">The first line.</param>
    public JournalFileWriter(Stream destination, JournalHeader header)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(header);
        _destination = destination;
        _gzip = new GZipStream(_compressed, CompressionLevel.Optimal, leaveOpen: true);
        JournalEncoder.WriteHeader(_line, header);
        EndLine();
    }

    /// <summary>Octets written to the destination.</summary>
    public long Length { get; private set; }

    /// <summary>Calls added.</summary>
    public long Calls { get; private set; }

    /// <summary>A new file should be begun although this one is not large: it holds too many different lists of paths.</summary>
    public bool IsCrowded => _encoder.PathLists > MaxPathLists / 2;

    /// <summary>Adds a call.</summary>
    /// <exception cref="InvalidDataException">It is too large for a line; nothing of it was written.</exception>
    public void Add(JournalCall call, JournalReturn returned)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(returned);
        _encoder.WriteCall(_line, call, returned);
        EndLine();
        Calls++;
    }

    /// <summary>Hands everything to the destination and flushes it.</summary>
    public void Flush()
    {
        _gzip.Flush();
        Drain();
        _destination.Flush();
    }

    /// <summary>Writes the last line. Nothing can be added after it.</summary>
    public void Complete()
    {
        JournalEncoder.WriteEnd(_line, Calls);
        EndLine();
        _closed = true;
        _gzip.Dispose();
        Drain();
        _destination.Flush();
    }

    /// <summary>Closes the destination; without <see cref="Complete"/> before it, the file is one that was cut short.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            _gzip.Dispose();
        }

        _compressed.Dispose();
        _destination.Dispose();
    }

    private void EndLine()
    {
        int length = _line.WrittenCount;
        if (length > MaxLineBytes)
        {
            _line = new ArrayBufferWriter<byte>();
            throw new InvalidDataException($"a call of {length} octets is too large for the journal (limit {MaxLineBytes})");
        }

        _line.Write("\n"u8);
        _gzip.Write(_line.WrittenSpan);
        if (_line.Capacity > KeptLineBytes)
        {
            _line = new ArrayBufferWriter<byte>();
        }
        else
        {
            _line.ResetWrittenCount();
        }

        if (_compressed.Length >= DrainAt)
        {
            Drain();
        }
    }

    private void Drain()
    {
        _destination.Write(_compressed.GetBuffer().AsSpan(0, (int)_compressed.Length));
        Length += _compressed.Length;
        _compressed.SetLength(0);
    }
}
