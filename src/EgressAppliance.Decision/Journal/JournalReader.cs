using System.IO.Compression;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Reads one journal file from front to back. It holds one line at a time, of bounded length. A file whose writing was cut short (a crash, a power cut, or it is being written)
/// gives all that is whole. Not safe for concurrent use.
/// </summary>
public sealed class JournalReader : IDisposable
{
    private readonly string _file;
    private readonly GZipStream _gzip;
    private readonly JournalLineReader _lines;
    private readonly JournalDecoder _decoder = new();
    private long _calls;

    /// <summary>Opens a file and reads its header; <see cref="Fault"/> says if that failed.</summary>
    /// <param name="stream">The file; disposed with the reader.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="maxLineBytes">Longest line, octets.</param>
    public JournalReader(Stream stream, string file, int maxLineBytes = JournalFileWriter.MaxLineBytes)
    {
        _file = file;
        _gzip = new GZipStream(stream, CompressionMode.Decompress);
        _lines = new JournalLineReader(_gzip, maxLineBytes);
        if (TryReadLine(out ReadOnlyMemory<byte> line))
        {
            Guarded(() => Header = JournalDecoder.ReadHeader(line));
        }
        else if (Fault is null)
        {
            Fault = new JournalFault(JournalFaultKind.NoHeader, file, 1, "the file ends before its header is whole: nothing of it can be replayed");
        }
    }

    /// <summary>The header; null if there is none that can be used.</summary>
    public JournalHeader? Header { get; private set; }

    /// <summary>What is wrong with the file, as far as it was read; null if nothing.</summary>
    public JournalFault? Fault { get; private set; }

    /// <summary>The end was read and the file is whole. False at the end of a file that was cut short.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The line read last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Reads the next call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="returned">JSON of what it returned, as it stands in the file.</param>
    /// <returns>False at the end, and at a fault.</returns>
    public bool TryRead(out JournalCall? call, out ReadOnlyMemory<byte> returned)
    {
        call = null;
        returned = default;
        if (Header is null || Fault is not null || IsComplete || !TryReadLine(out ReadOnlyMemory<byte> line))
        {
            return false;
        }

        JournalLine read = default;
        if (!Guarded(() => read = _decoder.Read(line)))
        {
            return false;
        }

        if (read.Call is null)
        {
            ReadEnd(read.Calls);
            return false;
        }

        _calls++;
        call = read.Call;
        returned = read.Returned;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _gzip.Dispose();

    private void ReadEnd(long calls)
    {
        if (calls != _calls)
        {
            Fault = new JournalFault(JournalFaultKind.BadLine, _file, Line, $"the file says it has {calls} calls and has {_calls}");
        }
        else if (TryReadLine(out _) || (Fault is null && _lines.Rest > 0))
        {
            Fault = new JournalFault(JournalFaultKind.BadLine, _file, Line, "something follows the last line");
        }

        // The gzip trailer was read on the way, so that a sum that does not fit has become a fault.
        IsComplete = Fault is null;
    }

    private bool TryReadLine(out ReadOnlyMemory<byte> line)
    {
        ReadOnlyMemory<byte> read = default;
        bool found = false;
        Line++;
        if (!Guarded(() => found = _lines.TryRead(out read)) || !found)
        {
            Line -= Fault is null ? 1 : 0;
            line = default;
            return false;
        }

        line = read;
        return true;
    }

    private bool Guarded(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (JournalException e)
        {
            Fault = new JournalFault(e.Kind, _file, Line, e.Message);
        }
        catch (InvalidDataException e)
        {
            Fault = new JournalFault(JournalFaultKind.Corrupt, _file, Line, "the compressed data are damaged, or this is no gzip file: " + e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fault = new JournalFault(JournalFaultKind.Unreadable, _file, Line, e.Message);
        }

        return false;
    }
}
