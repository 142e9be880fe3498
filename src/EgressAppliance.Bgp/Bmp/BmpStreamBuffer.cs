namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// Cuts a stream into messages. One buffer that starts small and grows to the longest message that is announced, never beyond the limit: so what a
/// connection can make us hold is bounded by construction.
/// </summary>
public sealed class BmpStreamBuffer
{
    /// <summary>Octets of the buffer at the start.</summary>
    public const int InitialLength = 64 * 1024;
    private readonly int _maxMessageLength;
    private byte[] _buffer;
    private int _start;
    private int _end;

    /// <summary>A buffer for messages of at most this many octets.</summary>
    public BmpStreamBuffer(int maxMessageLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxMessageLength, BmpConstants.HeaderLength);
        _maxMessageLength = maxMessageLength;
        _buffer = GC.AllocateUninitializedArray<byte>(Math.Min(InitialLength, maxMessageLength));
    }

    /// <summary>Octets allocated.</summary>
    public int Capacity => _buffer.Length;

    /// <summary>Octets held that are not a whole message yet.</summary>
    public int Pending => _end - _start;

    /// <summary>Where to put octets of the stream; never empty once <see cref="TryRead"/> has returned false.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_end);

    /// <summary>Says how many octets were put there.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _end);
        _end += count;
    }

    /// <summary>
    /// Takes the next whole message, its header included; it stays valid until the next call. False: more octets are needed. With an
    /// <paramref name="error"/> the stream cannot be followed any further.
    /// </summary>
    public bool TryRead(out BmpMessageType type, out ReadOnlySpan<byte> message, out BmpError? error)
    {
        message = default;
        if (!BmpFramer.TryReadHeader(_buffer.AsSpan(_start, _end - _start), _maxMessageLength, out type, out int length, out error))
        {
            MakeRoom(length);
            return false;
        }

        if (error is null)
        {
            message = _buffer.AsSpan(_start, length);
            _start += length;
        }

        return true;
    }

    private void MakeRoom(int length)
    {
        int pending = _end - _start;
        if (length > _buffer.Length)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>(length);
            _buffer.AsSpan(_start, pending).CopyTo(larger);
            _buffer = larger;
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, pending).CopyTo(_buffer);
        }

        _start = 0;
        _end = pending;
    }
}
