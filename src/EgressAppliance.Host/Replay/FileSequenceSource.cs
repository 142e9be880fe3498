using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Host.Replay;

/// <summary>The files that several sources share: each takes the next one when it is done with its own.</summary>
/// <param name="paths">The files.</param>
internal sealed class FileQueue(IReadOnlyList<string> paths)
{
    private readonly Lock _gate = new();
    private readonly List<string> _problems = [];
    private FileQueue? _parent;
    private int _next = -1;

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

    /// <summary>Opens the next file; null when none is left. Files that cannot be opened are noted and passed over.</summary>
    public PcapFileSource? OpenNext()
    {
        for (int i = Interlocked.Increment(ref _next); i < paths.Count; i = Interlocked.Increment(ref _next))
        {
            try
            {
                return PcapFileSource.Open(paths[i]);
            }
            catch (CaptureException e)
            {
                Note(e.Message, failed: true);
            }
        }

        return null;
    }

    /// <summary>Notes a problem of a file.</summary>
    public void Note(string problem, bool failed)
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

/// <summary>One source that reads file after file, so that any number of files needs no more threads than there are cores.</summary>
internal sealed class FileSequenceSource(string name, FileQueue files) : IPacketSource
{
    private readonly Lock _gate = new();
    private PcapFileSource? _current;
    private SourceStatistics _finished;

    public string Name => name;

    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        while (true)
        {
            _current ??= files.OpenNext();
            if (_current is null)
            {
                return SourceReadStatus.End;
            }

            SourceReadStatus status = _current.Read(block, timeout);
            if (status != SourceReadStatus.End)
            {
                return status;
            }

            Finish();
        }
    }

    public SourceStatistics GetStatistics()
    {
        lock (_gate)
        {
            return Sum(_finished, _current?.GetStatistics() ?? default);
        }
    }

    public void Dispose()
    {
        _current?.Dispose();
        _current = null;
    }

    private void Finish()
    {
        PcapFileSource file = _current!;
        SourceStatistics own = file.GetStatistics();
        if (own.Message is not null)
        {
            files.Note($"{file.Name}: {own.Message}", failed: false);
        }

        lock (_gate)
        {
            _finished = Sum(_finished, own);
            _current = null;
        }

        file.Dispose();
    }

    private static SourceStatistics Sum(SourceStatistics a, SourceStatistics b) =>
        new(a.ReceivedFrames + b.ReceivedFrames, a.ReceivedBytes + b.ReceivedBytes, 0, 0);
}
