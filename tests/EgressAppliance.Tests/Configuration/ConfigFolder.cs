namespace EgressAppliance.Tests.Configuration;

/// <summary>A configuration and the files beside it in a folder of its own, with the permissions that secrets need.</summary>
internal sealed class ConfigFolder : IDisposable
{
    private ConfigFolder() => Path = Directory.CreateTempSubdirectory("egress-config-").FullName;

    public string Path { get; }

    public string File => System.IO.Path.Combine(Path, "in.yaml");

    /// <summary>A copy of <c>tests/data/config/NAME</c>. Version control does not keep permissions, so that they are set here.</summary>
    public static ConfigFolder OfCase(string name)
    {
        ConfigFolder folder = new();
        foreach (string file in Directory.GetFiles(TestData.Path("config", name)))
        {
            folder.Write(System.IO.Path.GetFileName(file), System.IO.File.ReadAllText(file));
        }

        return folder;
    }

    /// <summary>The minimal case with <paramref name="change"/> applied to its text.</summary>
    public static ConfigFolder Minimal(Func<string, string>? change = null)
    {
        ConfigFolder folder = OfCase("minimal");
        string text = System.IO.File.ReadAllText(folder.File);
        folder.Write("in.yaml", change?.Invoke(text) ?? text);
        return folder;
    }

    public void Write(string name, string text)
    {
        string path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            System.IO.File.SetUnixFileMode(path, name.Contains("world-readable", StringComparison.Ordinal) ? owner | UnixFileMode.OtherRead : owner);
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
