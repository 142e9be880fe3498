namespace EgressAppliance.Host.Config;

/// <summary>The name of a box for which <c>box</c> gives none.</summary>
public static class BoxName
{
    private const int MaximumLength = 64;

    /// <summary>A host name, without its domain, as a name that <c>box</c> would take.</summary>
    /// <param name="host">The host name.</param>
    public static string OfHost(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        string name = new([.. host.Split('.')[0].Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-').Take(MaximumLength)]);
        return name.Length > 0 ? name : "box";
    }
}
