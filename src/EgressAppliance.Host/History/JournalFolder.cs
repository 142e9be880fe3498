using System.Globalization;

namespace EgressAppliance.Host.History;

/// <summary>One file of the journal.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Number">Its number: a later file has a higher one.</param>
/// <param name="Bytes">Its size.</param>
public sealed record JournalFileInfo(string Path, long Number, long Bytes);

/// <summary>
/// The names of journal files: <c>journal-00000042-20260102T030405Z.jsonl.gz</c>, a running number and the time of day at its beginning. The order is
/// that of the numbers; the time of day may have been set.
/// </summary>
public static class JournalFolder
{
    private const string Prefix = "journal-";
    private const string Suffix = ".jsonl.gz";

    /// <summary>The name of a file.</summary>
    public static string FileName(long number, DateTimeOffset begun) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}-{begun.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}{Suffix}");

    /// <summary>The files of a folder in order; whatever else lies there is passed over.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<JournalFileInfo> List(string folder) =>
    [
        .. new DirectoryInfo(folder).EnumerateFiles(Prefix + "*" + Suffix)
            .Select(f => (File: f, Number: NumberOf(f.Name)))
            .Where(f => f.Number is not null)
            .Select(f => new JournalFileInfo(f.File.FullName, f.Number!.Value, LengthOf(f.File)))
            .OrderBy(f => f.Number).ThenBy(f => f.Path, StringComparer.Ordinal),
    ];

    private static long? NumberOf(string name)
    {
        ReadOnlySpan<char> rest = name.AsSpan(Prefix.Length);
        int dash = rest.IndexOf('-');
        return dash > 0 && long.TryParse(rest[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>Someone may take a file away while the folder is read.</summary>
    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }
}
