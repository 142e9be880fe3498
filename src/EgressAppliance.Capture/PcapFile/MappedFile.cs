using System.IO.MemoryMappedFiles;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// A file seen through a read-only mapped window that is moved forward. Its length is that at opening: bytes appended later are not seen.
/// Not thread-safe, but a window that others still hold stays mapped. The file must not be shortened while it is mapped (the kernel would raise SIGBUS, as for any mapped file).
/// </summary>
internal sealed class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly int _windowBytes;

    private MappedFile(MemoryMappedFile map, long length, int windowBytes)
    {
        _map = map;
        Length = length;
        _windowBytes = windowBytes;
    }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; }

    /// <summary>The part of the file in view; null behind its end.</summary>
    public MappedWindow? Window { get; private set; }

    /// <summary>True if nothing of the file lies behind the window.</summary>
    public bool WindowReachesEnd => Window is null || Window.Start + Window.Length == Length;

    /// <summary>Opens a regular, non-empty file.</summary>
    /// <exception cref="CaptureException">It cannot be opened or mapped.</exception>
    public static MappedFile Open(string path, int windowBytes)
    {
        try
        {
            // The mapping keeps a handle of its own (leaveOpen: false), so the stream needs no disposal once the map exists.
            FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            try
            {
                long length = stream.CanSeek ? stream.Length : 0;
                if (length == 0)
                {
                    throw new CaptureException(CaptureError.FileUnreadable, path, "the file is empty, or no regular file");
                }

                MemoryMappedFile map = MemoryMappedFile.CreateFromFile(
                    stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
                MappedFile file = new(map, length, windowBytes);
                file.MoveTo(0);
                return file;
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CaptureException(CaptureError.FileUnreadable, path, e.Message, e);
        }
    }

    /// <summary>Makes the window start at this offset of the file.</summary>
    public void MoveTo(long offset)
    {
        Window?.Release();
        Window = null;
        int length = (int)Math.Min(_windowBytes, Length - offset);
        if (length > 0)
        {
            Window = new MappedWindow(_map, offset, length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Window?.Release();
        Window = null;
        _map.Dispose();
    }
}
