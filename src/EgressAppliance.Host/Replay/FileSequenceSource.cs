using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Host.Replay;

/// <summary>
/// The files that several sources share. Each source begins the next file when it is done with one; when none is left to begin, it helps with one that
/// is still being read, so that a single large file keeps all threads busy too. Any thread.
/// </summary>
/// <param name="paths">The files.</param>
internal sealed class FileQueue(IReadOnlyList<string> paths)
{
    private readonly Lock _gate = new();
    private readonly List<string> _problems = [];
    private readonly List<PcapFileSource> _open = [];
    private FileQueue? _parent;
    private int _next;
    private int _turn;

    /// <summary>A file could not be opened.</summary>
    public bool AnyFailed { get; private set; }

    /// <summary>Files that could not be read, or not to their end.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_gate)
            {
                return [.. _problems.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>A queue of one file that notes its problems here.</summary>
    public FileQueue Only(string path) => new([path]) { _parent = this };

    /// <summary>A file to read from; null when all are at their end. Files that cannot be opened are noted and passed over.</summary>
    public PcapFileSource? Take()
    {
        lock (_gate)
        {
            while (_next < paths.Count)
            {
                try
                {
                    PcapFileSource file = PcapFileSource.Open(paths[_next++]);
                    _open.Add(file);
                    return file;
                }
                catch (CaptureException e)
                {
                    Note(e.Message, failed: true);
                }
            }

            return _open.Count == 0 ? null : _open[_turn++ % _open.Count];
        }
    }

    /// <summary>A file is at its end. The first source that finds so closes it; its last blocks stay mapped as long as others work on them.</summary>
    public void Finish(PcapFileSource file)
    {
        lock (_gate)
        {
            if (_open.Remove(file))
            {
                if (file.GetStatistics().Message is { } message)
                {
                    Note($"{file.Name}: {message}", failed: false);
                }

                file.Dispose();
            }
        }
    }

    /// <summary>Closes files that were not read to their end. No source may read any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _open.ForEach(file => file.Dispose());
            _open.Clear();
            _next = paths.Count;
        }
    }

    private void Note(string problem, bool failed)
    {
        if (_parent is not null)
        {
            _parent.Note(problem, failed);
            return;
        }

        lock (_gate)
        {
            _problems.Add(problem);
            AnyFailed |= failed;
        }
    }
}

/// <summary>One of the sources that read the files of a queue, so that any number of files needs no more threads than there are cores.</summary>
internal sealed class FileSequenceSource(string name, FileQueue files) : IPacketSource
{
    private PcapFileSource? _current;
    private long _frames;
    private long _bytes;

    public string Name => name;

    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        while (true)
        {
            _current ??= files.Take();
            if (_current is null)
            {
                return SourceReadStatus.End;
            }

            if (_current.Read(block, timeout) == SourceReadStatus.Frames)
            {
                Volatile.Write(ref _bytes, _bytes + block.WireBytes);
                Volatile.Write(ref _frames, _frames + block.Count);
                return SourceReadStatus.Frames;
            }

            files.Finish(_current);
            _current = null;
        }
    }

    public SourceStatistics GetStatistics() => new(Volatile.Read(ref _frames), Volatile.Read(ref _bytes), 0, 0);

    public void Dispose() => files.Close();
}
