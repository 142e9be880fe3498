using System.IO.Compression;
using System.Text;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;

namespace EgressAppliance.Tests.Decision.Journal;

/// <summary>A journal in memory, whose files have a given number of calls.</summary>
internal sealed class JournalFiles(int callsPerFile, Func<int, string>? name = null) : IJournalSink, IDisposable
{
    private readonly List<MemoryStream> _files = [];
    private JournalFileWriter? _writer;

    public int Count => _files.Count;

    public bool WantsState => _writer is null || _writer.Calls >= callsPerFile;

    public static string Name(int index) => $"file-{index}";

    /// <summary>The files, all closed in order.</summary>
    public IReadOnlyList<byte[]> Close()
    {
        _writer?.Complete();
        _writer?.Dispose();
        _writer = null;
        return [.. _files.Select(f => f.ToArray())];
    }

    public void Start(ControllerOptions options, ControllerState state)
    {
        _writer?.Complete();
        _writer?.Dispose();
        _files.Add(new MemoryStream());
        _writer = new JournalFileWriter(_files[^1], new JournalHeader
        {
            Program = "test",
            Written = Lab.Start,
            Follows = _files.Count > 1 ? (name ?? Name)(_files.Count - 2) : null,
            Options = options,
            State = state,
        });
    }

    public void Add(JournalCall call, JournalReturn returned) => _writer!.Add(call, returned);

    public void Dispose() => _writer?.Dispose();

    public static JournalReplayResult Replay(byte[] file, string name = "file") => JournalReplayer.Replay(new MemoryStream(file), name);

    public static string[] Lines(byte[] file)
    {
        using GZipStream gzip = new(new MemoryStream(file), CompressionMode.Decompress);
        using StreamReader reader = new(gzip);
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }

    public static byte[] OfLines(params string[] lines) => OfText(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));

    public static byte[] OfText(byte[] text)
    {
        using MemoryStream file = new();
        using (GZipStream gzip = new(file, CompressionLevel.Fastest))
        {
            gzip.Write(text);
        }

        return file.ToArray();
    }
}
