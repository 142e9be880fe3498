using Microsoft.Win32.SafeHandles;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// A file seen through a buffer that is moved forward. Its length is that at opening: bytes appended later are not seen. Not thread-safe.
/// </summary>
/// <remarks>
/// Reading into a buffer that stays in the core's cache costs less than mapping the file: what copying takes, mapping takes for page faults, and the
/// frames are in the cache when they are decoded. And a file that somebody shortens is a short file, not a SIGBUS.
/// </remarks>
internal sealed class FileWindow : IDisposable
{
    private static readonly PinnedBuffer Nothing = new(0);
    private readonly SafeFileHandle _file;
    private readonly int _maxBytes;
    private PinnedBuffer _buffer;

    private FileWindow(SafeFileHandle file, long length, int bytes, int maxBytes)
    {
        _file = file;
        Length = length;
        _maxBytes = maxBytes;
        _buffer = new PinnedBuffer((int)Math.Min(bytes, length));
    }

    /// <summary>Bytes in the file; less than at opening once it is found shortened.</summary>
    public long Length { get; private set; }

    /// <summary>The file has become shorter since it was opened.</summary>
    public bool WasShortened { get; private set; }

    /// <summary>File offset of the window's first byte.</summary>
    public long Start { get; private set; }

    /// <summary>Bytes in the window.</summary>
    public int Count { get; private set; }

    /// <summary>The window's bytes, valid until it is moved.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.Span[..Count];

    /// <summary>The memory whose first bytes are the window.</summary>
    public PinnedBuffer Buffer => _buffer;

    /// <summary>True if nothing of the file lies behind the window.</summary>
    public bool ReachesEnd => Start + Count >= Length;

    /// <summary>Opens a regular, non-empty file; the window is its beginning.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Bytes of the window.</param>
    /// <param name="maxBytes">Bytes to which it may grow.</param>
    /// <exception cref="CaptureException">The file cannot be opened or read.</exception>
    public static FileWindow Open(string path, int bytes, int maxBytes)
    {
        try
        {
            SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            try
            {
                FileAttributes attributes = File.GetAttributes(file);
                long length = attributes.HasFlag(FileAttributes.Device) || attributes.HasFlag(FileAttributes.Directory) ? 0 : RandomAccess.GetLength(file);
                if (length == 0)
                {
                    throw new CaptureException(CaptureError.FileUnreadable, path, "the file is empty, or no regular file");
                }

                FileWindow window = new(file, length, bytes, maxBytes);
                window.MoveTo(0);
                return window;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CaptureException(CaptureError.FileUnreadable, path, e.Message, e);
        }
    }

    /// <summary>Makes the window start at this offset, and reach as far as the buffer and the file do.</summary>
    /// <exception cref="IOException">The file cannot be read any more.</exception>
    public void MoveTo(long offset)
    {
        int kept = 0;
        if (offset >= Start && offset < Start + Count)
        {
            kept = (int)(Start + Count - offset);
            Bytes[^kept..].CopyTo(_buffer.Span);
        }

        Start = offset;
        Count = kept;
        while (Count < _buffer.Length && Start + Count < Length)
        {
            int read = RandomAccess.Read(_file, _buffer.Span[Count..(int)Math.Min(_buffer.Length, Length - Start)], Start + Count);
            if (read == 0)
            {
                WasShortened = true;
                Length = Start + Count;
            }

            Count += read;
        }
    }

    /// <summary>Makes the window longer, from the same place on. Blocks that lie in it keep the old buffer.</summary>
    /// <returns>False if it is as long as it may be.</returns>
    public bool TryGrow()
    {
        if (_buffer.Length >= _maxBytes)
        {
            return false;
        }

        PinnedBuffer longer = new((int)Math.Min((long)_buffer.Length * 4, _maxBytes));
        Bytes.CopyTo(longer.Span);
        _buffer = longer;
        MoveTo(Start);
        return true;
    }

    /// <summary>Closes the file and lets go of the buffer; blocks that lie in it keep it as long as they need it.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _buffer = Nothing;
        Count = 0;
    }
}
