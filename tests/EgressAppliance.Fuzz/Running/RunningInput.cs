using System.IO.MemoryMappedFiles;
using System.Text;

namespace EgressAppliance.Fuzz.Running;

/// <summary>
/// Names the input that is being fed in a file that outlives the process: a stack overflow ends it without giving anyone the chance to say which input it was.
/// The file is a shared mapping, so that a line costs a copy and no system call.
/// </summary>
public sealed class RunningInput : IDisposable
{
    private const int Width = 64;
    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte[] _line = new byte[Width];

    /// <summary>Makes the file <c>running.txt</c> in the folder.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public RunningInput(string folder)
    {
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, "running.txt");
        _file = MemoryMappedFile.CreateFromFile(_path, FileMode.Create, mapName: null, capacity: Width);
        _view = _file.CreateViewAccessor();
    }

    /// <summary>This input comes next.</summary>
    public void Begin(IFuzzTarget target, long iteration)
    {
        ArgumentNullException.ThrowIfNull(target);
        _line.AsSpan().Fill((byte)' ');
        int length = Encoding.ASCII.GetBytes(target.Name, _line);
        _ = System.Buffers.Text.Utf8Formatter.TryFormat(iteration, _line.AsSpan(length + 1), out _);
        _line[^1] = (byte)'\n';
        _view.WriteArray(0, _line, 0, Width);
    }

    /// <summary>The run came to its end: the file goes.</summary>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }
}
