using EgressAppliance.Decision.Journal;

namespace EgressAppliance.Host.History;

/// <summary>
/// The files of the journal: begins and ends them, and keeps their number within the limit. Every member but <see cref="Bytes"/> is for one thread; those that write
/// throw what the disk throws, and then the file is to be abandoned.
/// </summary>
internal sealed class JournalDisk(JournalOptions options, TimeProvider time, Func<string, Stream> create) : IDisposable
{
    private JournalFileWriter? _file;
    private Stream? _stream;
    private string _path = "";
    private string? _lastWhole;
    private long _number;
    private long _begun;
    private long _synced;
    private long _othersBytes;
    private long _bytes;

    /// <summary>Whether a file is open.</summary>
    public bool IsOpen => _file is not null;

    /// <summary>Octets of all files. Any thread.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Makes a file on the disk that user and group may read: it tells whom the site sends traffic to.</summary>
    /// <exception cref="IOException">It cannot be made, or there is one of that name.</exception>
    public static Stream Create(string path) => new FileStream(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        Share = FileShare.Read | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
    });

    /// <summary>Begins the next file, and makes room for it.</summary>
    public void Open(JournalHeader header)
    {
        Directory.CreateDirectory(options.Folder);
        IReadOnlyList<JournalFileInfo> files = JournalFolder.List(options.Folder);
        _number = Math.Max(_number, files.Count > 0 ? files[^1].Number : 0) + 1;
        _othersBytes = Trim(files, options.MaxBytes - options.FileBytes);
        _path = Path.Combine(options.Folder, JournalFolder.FileName(_number, header.Written));
        _stream = create(_path);
        _file = new JournalFileWriter(_stream, header);
        _begun = time.GetTimestamp();
        _file.Flush();
        Sync();
    }

    /// <summary>Adds a call to the file.</summary>
    public void Add(JournalCall call, JournalReturn returned) => _file!.Add(call, returned);

    /// <summary>Hands what was added to the system, and from time to time forces it to the disk.</summary>
    /// <returns>True when the file is large or old enough.</returns>
    public bool Flush()
    {
        _file!.Flush();
        if (time.GetElapsedTime(_synced) >= options.SyncEvery)
        {
            Sync();
        }

        if (_othersBytes + _file.Length > options.MaxBytes)
        {
            _othersBytes = Trim([.. JournalFolder.List(options.Folder).Where(f => f.Path != _path)], options.MaxBytes - _file.Length);
        }

        Interlocked.Exchange(ref _bytes, _othersBytes + _file.Length);
        return _file.Length >= options.FileBytes || _file.IsCrowded || time.GetElapsedTime(_begun) >= options.FileTime;
    }

    /// <summary>Ends the file in order.</summary>
    /// <returns>Its name, or that of the one before if none is open and no file failed since; else null.</returns>
    public string? Complete()
    {
        if (_file is not null)
        {
            _file.Complete();
            Sync();
            _file.Dispose();
            _file = null;
            _stream = null;
            _lastWhole = Path.GetFileName(_path);
        }

        return _lastWhole;
    }

    /// <summary>Gives the file up as it is; one without a single call is taken away, lest a full disk fills with them.</summary>
    public void Abandon()
    {
        bool empty = _file is null || _file.Calls == 0;
        _lastWhole = null;
        try
        {
            // Also where the file was made and its header could not be written.
            _file?.Dispose();
            _stream?.Dispose();
            if (_stream is not null && empty)
            {
                File.Delete(_path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It failed before, and that is what is told.
        }

        _file = null;
        _stream = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Abandon();

    /// <summary>Deletes the oldest files until the rest is within a limit.</summary>
    /// <returns>Octets of the rest.</returns>
    private static long Trim(IReadOnlyList<JournalFileInfo> files, long limit)
    {
        long bytes = files.Sum(f => f.Bytes);
        foreach (JournalFileInfo file in files)
        {
            if (bytes <= limit)
            {
                break;
            }

            File.Delete(file.Path);
            bytes -= file.Bytes;
        }

        return bytes;
    }

    private void Sync()
    {
        (_stream as FileStream)?.Flush(flushToDisk: true);
        _synced = time.GetTimestamp();
    }
}
