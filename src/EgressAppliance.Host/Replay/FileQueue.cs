using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Host.Replay;

/// <summary>
/// The files that several sources share, large ones cut into parts: each source takes the next part when it is done with its own. Any thread.
/// </summary>
/// <param name="paths">The files.</param>
/// <param name="readers">Sources that share them; 1: nothing is cut.</param>
/// <param name="progress">Told the part of their octets that was read, 0–1.</param>
internal sealed class FileQueue(IReadOnlyList<string> paths, int readers, Action<double> progress)
{
    /// <summary>Parts for each reader: so many that none waits long for the last.</summary>
    private const int PartsPerReader = 4;

    private readonly Lock _gate = new();
    private readonly List<string> _problems = [];
    private readonly Queue<Part> _next = new();
    private readonly List<PcapFileSource?[]> _files = [];
    private readonly Dictionary<PcapFileSource, long> _taken = [];
    private readonly long _total = paths.Sum(LengthOf);
    private FileQueue? _parent;
    private long _read;
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
    public FileQueue Only(string path) => new([path], 1, _ => { }) { _parent = this };

    /// <summary>The next part; null when none is left. Files that cannot be opened are noted and passed over.</summary>
    public PcapFileSource? Take()
    {
        while (TakePart() is { } part)
        {
            try
            {
                // Outside the lock: finding the first record takes some reading.
                if (PcapFileSource.OpenPart(part.Path, part.From, part.To) is { } source)
                {
                    part.Siblings[part.Index] = source;
                    lock (_gate)
                    {
                        _taken[source] = Math.Min(part.To, LengthOf(part.Path)) - part.From;
                    }

                    return source;
                }
            }
            catch (CaptureException e)
            {
                Note(e.Message, failed: true);
            }
        }

        return null;
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

            if (_taken.Remove(part, out long octets))
            {
                (_parent ?? this).Read(octets);
            }

            part.Dispose();
        }
    }

    /// <summary>Notes octets that were read.</summary>
    private void Read(long octets) => progress(Math.Min(1, Interlocked.Add(ref _read, octets) / (double)Math.Max(1, _total)));

    private static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (IOException)
        {
            // It cannot be opened either, which is told then.
            return 0;
        }
    }

    /// <summary>After all was read: finds out whether the parts that files were cut into meet.</summary>
    public void CheckCuts()
    {
        lock (_gate)
        {
            WasCutWrong = !_files.TrueForAll(parts => parts.Length == 1 || (Array.TrueForAll(parts, part => part is not null) && PcapFileSource.PartsMeet(parts!)));
        }
    }

    private Part? TakePart()
    {
        lock (_gate)
        {
            while (_next.Count == 0 && _nextPath < paths.Count)
            {
                Cut(paths[_nextPath++]);
            }

            return _next.TryDequeue(out Part? part) ? part : null;
        }
    }

    private void Cut(string path)
    {
        try
        {
            IReadOnlyList<long> cuts = readers == 1 ? [0, long.MaxValue] : PcapFileSource.FindCuts(path, readers * PartsPerReader);
            PcapFileSource?[] parts = new PcapFileSource?[cuts.Count - 1];
            _files.Add(parts);
            for (int i = 0; i < parts.Length; i++)
            {
                _next.Enqueue(new Part(path, cuts[i], cuts[i + 1], i, parts));
            }
        }
        catch (CaptureException e)
        {
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

    /// <summary>A part of a file that nobody has taken yet.</summary>
    /// <param name="Path">The file.</param>
    /// <param name="From">Its records begin at or behind this offset.</param>
    /// <param name="To">They begin before this one.</param>
    /// <param name="Index">Which part it is.</param>
    /// <param name="Siblings">All parts of the file, as they are opened.</param>
    private sealed record Part(string Path, long From, long To, int Index, PcapFileSource?[] Siblings);
}
