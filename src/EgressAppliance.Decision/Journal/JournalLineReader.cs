namespace EgressAppliance.Decision.Journal;

/// <summary>Reads lines of bounded length from a stream. What is after the last line feed is no line but a rest: its writing was cut short.</summary>
internal sealed class JournalLineReader(Stream stream, int maxBytes)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _over;

    /// <summary>Octets after the last line feed, once there are no more lines.</summary>
    public int Rest => _end - _start;

    /// <summary>The next line without its line feed, valid until the next call; false at the end.</summary>
    /// <exception cref="JournalException">The line is too long.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = _start;
        while (true)
        {
            int feed = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                line = _buffer.AsMemory(_start, searched + feed - _start);
                _start = searched + feed + 1;
                return true;
            }

            if (_end - _start > maxBytes)
            {
                throw new JournalException(JournalFaultKind.LineTooLong, $"the line is longer than {maxBytes} octets");
            }

            if (_over)
            {
                line = default;
                return false;
            }

            searched = MakeRoom();
            int read = stream.Read(_buffer.AsSpan(_end));
            _over = read == 0;
            _end += read;
        }
    }

    /// <summary>Moves what is there to the front and grows the buffer if it is full.</summary>
    /// <returns>Where the search goes on.</returns>
    private int MakeRoom()
    {
        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min((long)_buffer.Length * 2, maxBytes + 2L));
        }

        return _end;
    }
}
