using System.Text.RegularExpressions;

namespace EgressAppliance.Fuzz.Running;

/// <summary>Something that must not be.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Iteration">Which input of the target, counted from 0; -1 for a replayed file.</param>
/// <param name="Text">What does not hold, or the exception.</param>
/// <param name="Input">The input, as short as it could be made.</param>
public sealed partial record Finding(string Target, ulong Seed, long Iteration, string Text, byte[] Input)
{
    /// <summary>Equal for findings that differ in numbers only: one of them is shown.</summary>
    public string Key => Target + " " + Numbers().Replace(FirstLine, "#");

    private string FirstLine => Text.Split('\n', 2)[0];

    /// <summary>The finding as it stands in a file that can be replayed.</summary>
    public string ToFile() =>
        $"# target: {Target}\n# seed {Seed}, iteration {Iteration}: {FirstLine}\n{Convert.ToHexStringLower(Input)}\n";

    /// <summary>Everything needed to see it again.</summary>
    public override string ToString()
    {
        string again = Iteration < 0 ? "" : $"\n  again: --target {Target} --seed {Seed} --first {Iteration} --count 1";
        return $"FINDING {Target}, seed {Seed}, iteration {Iteration}: {Text}{again}\n  input ({Input.Length} octets): {Convert.ToHexStringLower(Input)}";
    }

    /// <summary>Writes it into a folder and returns the file's name.</summary>
    public string Save(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{Target}-{Seed}-{Iteration}.hex");
        File.WriteAllText(path, ToFile());
        return path;
    }

    [GeneratedRegex(@"[0-9a-f]*[0-9][0-9a-f.:/]*")]
    private static partial Regex Numbers();
}

/// <summary>A file with one input: lines with <c>#</c>, one of which names the target, then hexadecimal digits.</summary>
public sealed record InputFile(string Target, byte[] Input)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">No line names the target, or the digits are not hexadecimal.</exception>
    public static InputFile Read(string path)
    {
        const string Marker = "# target:";
        string[] lines = File.ReadAllLines(path);
        string? target = lines.FirstOrDefault(l => l.StartsWith(Marker, StringComparison.Ordinal))?[Marker.Length..].Trim();
        string digits = string.Concat(lines.Where(l => !l.StartsWith('#')).Select(l => l.Trim()));
        return target is null ? throw new FormatException($"{path}: no line '{Marker} NAME'") : new(target, Convert.FromHexString(digits));
    }
}
