using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Host.Replay;

/// <summary>
/// The files that several sources share, large ones cut into parts: each source takes the next part when it is done with its own. Any thread.
/// </summary>
/// <param name="paths">The files.</param>
/// <param name="readers">Sources that share them; 1: nothing is cut.</param>
internal sealed class FileQueue(IReadOnlyList<string> paths, int readers)
{
    /// <summary>Parts for each reader: so many that none waits long for the last.</summary>
    private const int PartsPerReader = 4;

    private readonly Lock _gate = new();
    private readonly List<string> _problems = [];
    private readonly Queue<PcapFileSource> _next = new();
    private readonly List<List<PcapFileSource>> _cutFiles = [];
    private FileQueue? _parent;
    private int _nextPath;

    /// <summary>A file could not be opened.</summary>
    public bool AnyFailed { get; private set; }

    /// <summary>The parts of a file turned out not to meet: what was counted is not the files. They must be read uncut.</summary>
    public bool WasCutWrong { get; private set; }

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
    public FileQueue Only(string path) => new([path], 1) { _parent = this };

    /// <summary>The next part; null when none is left. Files that cannot be opened are noted and passed over.</summary>
    public PcapFileSource? Take()
    {
        lock (_gate)
        {
            while (_next.Count == 0 && _nextPath < paths.Count)
            {
                Open(paths[_nextPath++]);
            }

            return _next.TryDequeue(out PcapFileSource? part) ? part : null;
        }
    }

    /// <summary>A part was read to its end, or is not wanted any more.</summary>
    public void Finish(PcapFileSource part)
    {
        lock (_gate)
        {
            if (part.GetStatistics().Message is { } message)
            {
                Note($"{part.Name}: {message}", failed: false);
            }

            part.Dispose();
        }
    }

    /// <summary>After all was read: finds out whether the parts that files were cut into meet.</summary>
    public void CheckCuts()
    {
        lock (_gate)
        {
            WasCutWrong |= !_cutFiles.TrueForAll(PcapFileSource.PartsMeet);
        }
    }

    private void Open(string path)
    {
        List<PcapFileSource> parts = [];
        try
        {
            if (readers == 1)
            {
                _next.Enqueue(PcapFileSource.Open(path));
                return;
            }

            IReadOnlyList<long> cuts = PcapFileSource.FindCuts(path, readers * PartsPerReader);
            for (int i = 0; i + 1 < cuts.Count; i++)
            {
                if (PcapFileSource.OpenPart(path, cuts[i], cuts[i + 1]) is { } source)
                {
                    parts.Add(source);
                }
                else
                {
                    WasCutWrong = true;
                }
            }

            parts.ForEach(_next.Enqueue);
            _cutFiles.Add(parts);
        }
        catch (CaptureException e)
        {
            parts.ForEach(part => part.Dispose());
            Note(e.Message, failed: true);
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
